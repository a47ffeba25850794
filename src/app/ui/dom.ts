type Child = Node | string | null | undefined | false
type Props = Record<string, unknown>

/**
 * Makes an element: `h('button.icon', { title: 'Pause', onclick }, svg)`. The tag may carry classes. Props that are
 * properties of the element are set as such, the rest (and `aria-*`, `data-*`) as attributes.
 */
export function h<K extends keyof HTMLElementTagNameMap = 'div'>(
  tag: string,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const [name, ...classes] = tag.split('.')
  const element = document.createElement(name || 'div')
  if (classes.length) element.className = classes.join(' ')
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined) continue
    if (key in element && !key.includes('-')) Object.assign(element, { [key]: value })
    else element.setAttribute(key, String(value))
  }
  for (const child of children) if (child) element.append(child)
  return element as HTMLElementTagNameMap[K]
}

/** Sets text only where it changed, so that the page is not laid out for nothing 20 times a second. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** A line icon on a 24-unit grid. */
export function icon(paths: string, filled = false): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('aria-hidden', 'true')
  svg.classList.add('glyph')
  if (filled) svg.classList.add('filled')
  for (const d of paths.split('|')) {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
    path.setAttribute('d', d)
    svg.append(path)
  }
  return svg
}

/**
 * A click with the mouse leaves no focus behind, so that Space and Enter are for the drive again. Who came with the
 * keyboard stays on the button.
 */
export function letGoAfter(event: MouseEvent): void {
  if (event.detail > 0) (event.currentTarget as HTMLElement).blur()
}

/** A round icon button with a name for screen readers and a key in its tooltip. */
export function iconButton(
  name: string,
  key: string,
  paths: string,
  onclick: () => void,
  filled = false,
): HTMLButtonElement {
  const title = key ? `${name} (${key})` : name
  const clicked = (event: MouseEvent) => {
    letGoAfter(event)
    onclick()
  }
  return h<'button'>(
    'button.icon',
    { type: 'button', title, 'aria-label': name, onclick: clicked },
    icon(paths, filled),
  )
}

/** A switch with its name on it, lit while it is on. Answers how to set it. */
export function switchButton(name: string, key: string, paths: string, onclick: () => void) {
  const button = iconButton(name, key, paths, onclick)
  button.classList.add('switch')
  button.setAttribute('role', 'switch')
  button.append(h('span', {}, name))
  const set = (on: boolean) => {
    button.classList.toggle('on', on)
    button.setAttribute('aria-checked', String(on))
  }
  return { button, set }
}

export const GLYPHS = {
  pause: 'M9 5.5v13|M15 5.5v13',
  play: 'M8 5.2v13.6l11-6.8z',
  step: 'M7 5.5v13l8-6.5z|M18 5.5v13',
  wheel:
    'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16|M12 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4|M4.4 10h5.8|M13.8 10h5.8|M12 14v6',
  road: 'M9.5 4 5 20|M14.5 4 19 20|M12 5.5v2|M12 11v2.5|M12 17v3',
  bleed: 'M3.5 5.5h17v13h-17z|M8 9.5h8v5H8z',
  rewind: 'M11.5 6 5 12l6.5 6z|M19 6l-6.5 6 6.5 6z',
  reset: 'M5 12a7 7 0 1 0 2.2-5.1|M7.4 3.2v4h4',
  dice: 'M5 5h14v14H5z|M9 9h.01|M15 15h.01|M15 9h.01|M9 15h.01',
  chart: 'M4 19h16|M6 15l4-5 3.5 3L19 6',
  expand: 'M4 9V4h5|M20 9V4h-5|M4 15v5h5|M20 15v5h-5',
  help: 'M9.2 9.2a2.9 2.9 0 1 1 4.3 2.6c-1 .6-1.5 1.1-1.5 2.3|M12 17.6h.01',
  send: 'M5 12h13|M12.5 6.5 18 12l-5.5 5.5',
  sound: 'M4 10v4h3.5l4.5 4V6l-4.5 4z|M15.5 9.5a3.6 3.6 0 0 1 0 5|M18 7a7 7 0 0 1 0 10',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1|M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  left: 'M14.5 6 8.5 12l6 6',
  right: 'M9.5 6l6 6-6 6',
  up: 'M6 14.5l6-6 6 6',
  down: 'M6 9.5l6 6 6-6',
  close: 'M7 7l10 10|M17 7 7 17',
  more: 'M6 12h.01|M12 12h.01|M18 12h.01',
} as const
