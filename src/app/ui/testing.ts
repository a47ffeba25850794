/** As much of a page as the tests of what is drawn on it need. */
import { vi } from 'vitest'

let active: FakeElement | null = null

export class FakeElement extends EventTarget {
  inert = false
  className = ''
  type = ''
  title = ''
  value = ''
  textContent = ''
  onclick: ((event: MouseEvent) => void) | null = null
  parentElement: FakeElement | null = null
  children: FakeElement[] = []
  readonly style = { transform: '', setProperty() {} }
  readonly attributes = new Map<string, string>()
  readonly classes = new Set<string>()
  readonly classList = {
    add: (name: string) => this.classes.add(name),
    remove: (name: string) => this.classes.delete(name),
    toggle: (name: string, on: boolean) => (on ? this.classes.add(name) : this.classes.delete(name)),
  }

  get childNodes(): FakeElement[] {
    return this.children
  }

  append(...nodes: (FakeElement | string)[]): void {
    for (const node of nodes) {
      if (typeof node === 'string') continue
      node.parentElement = this
      this.children.push(node)
    }
  }

  replaceChildren(...nodes: FakeElement[]): void {
    this.children = []
    this.append(...nodes)
  }

  contains(other: FakeElement | null): boolean {
    return other === this || this.children.some((child) => child.contains(other))
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value)
  }

  focus(): void {
    active = this
  }

  blur(): void {
    if (active === this) active = null
  }
}

/** Puts a page without anything on it in place of the browser's, until `vi.unstubAllGlobals`. */
export function stubPage() {
  const body = new FakeElement()
  active = null
  const page = {
    body,
    get activeElement() {
      return active ?? body
    },
    createElement: () => new FakeElement(),
    createElementNS: () => new FakeElement(),
  }
  vi.stubGlobal('document', page)
  return page
}

/** Lets something happen to an element; `how` is what the event says of it. */
export function happen(element: FakeElement, type: string, how: object = {}): void {
  element.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), how))
}

/** An element with others in it. */
export function element(...children: FakeElement[]): FakeElement {
  const made = new FakeElement()
  made.append(...children)
  return made
}

/** For what takes a real element. */
export const real = (fake: FakeElement) => fake as unknown as HTMLElement
/** For what gave one. */
export const fake = (real: HTMLElement) => real as unknown as FakeElement
