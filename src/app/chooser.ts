/** The worlds that lie beside the page, with their pictures: shown where there is more than one. */
import { h } from './ui/dom'
import type { MenuItem } from './ui/menu'

/** A folder of `assets/` that holds a world, as `assets/worlds.json` lists it (vite.config.ts). */
export interface WorldEntry {
  /** The folder's name, and what `?world=` takes. */
  readonly name: string
  readonly title: string
  /** A picture in the folder; left out where there is none. */
  readonly picture?: string
  /** Students that the arena can put beside the world's own; left out where there are none. */
  readonly opponents?: readonly Opponent[]
}

/** Another student of a world. */
export interface Opponent {
  /** Of its manifest, relative to the page. */
  readonly address: string
  readonly title: string
  /** What is loaded for it beside the world's own files. */
  readonly bytes: number
}

/** The page that compares two students blind: the world's own and this one. */
export function arenaAddress(world: string, { address }: Opponent, base: string): string {
  const url = new URL('arena/', base)
  url.search = `?a=assets/${world}/&b=${address}`
  return url.href
}

/** A size as people read it. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** The list beside the page. Empty where there is none, or it is no list: the world that is played needs none. */
export async function fetchWorlds(base: string): Promise<readonly WorldEntry[]> {
  try {
    const response = await fetch(new URL('assets/worlds.json', base))
    const list: unknown = response.ok ? await response.json() : []
    return Array.isArray(list) ? list.filter(isEntry) : []
  } catch {
    return []
  }
}

function isEntry(value: unknown): value is WorldEntry {
  const { name, title } = (value ?? {}) as Partial<WorldEntry>
  return typeof name === 'string' && typeof title === 'string'
}

/** The same as items of a menu. */
export function worldItems(worlds: readonly WorldEntry[], played: string): MenuItem[] {
  return worlds.map(({ name, title }) => ({
    name: title,
    checked: name === played,
    run: () => location.assign(`?world=${encodeURIComponent(name)}`),
  }))
}

/** Links to every world; the one that is played is marked. Null where there is nothing to choose. */
export function createChooser(
  worlds: readonly WorldEntry[],
  played: string,
  base: string,
): HTMLElement | null {
  if (worlds.length < 2) return null
  const links = worlds.map(({ name, title, picture }) => {
    const link = h('a', { href: `?world=${encodeURIComponent(name)}` })
    if (name === played) link.setAttribute('aria-current', 'page')
    if (picture) link.append(h('img', { src: new URL(`assets/${name}/${picture}`, base).href, alt: '' }))
    link.append(title)
    return link
  })
  return h('nav.worlds', { 'aria-label': 'Worlds' }, ...links)
}
