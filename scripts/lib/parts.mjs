// Parts of the built page that load later, so that one bad answer of a server costs none of them.
//
// A browser may remember a module that failed for as long as the page lives, by its address (Chromium did up to 150, and the
// standard allows it). So the next try asks by another address: `hud.js?again=1`. What a part imports in its turn cannot be
// renamed, so a part may only import what every page that loads it has from its start; the build ends with an error where one
// does more.

/**
 * Imports a part, by another address after each failure; all who ask for it get the same module. It is written into the
 * chunks that need it, so it refers to nothing outside.
 *
 * @param {string} address
 * @param {(address: string) => Promise<unknown>} load
 * @returns {Promise<unknown>}
 */
export function importAgain(address, load) {
  globalThis.oneiroParts ??= new Map()
  const parts = globalThis.oneiroParts
  const part = parts.get(address) ?? { failures: 0, module: null }
  parts.set(address, part)
  part.module ??= load(part.failures ? `${address}?again=${part.failures}` : address).catch((error) => {
    part.failures++
    part.module = null
    throw error
  })
  return part.module
}

/** `code` of a chunk, in which every import of another chunk is one by `importAgain`. @param {string} code */
export function withImportAgain(code) {
  const found = /\bimport\(\s*(["'`])(\.{1,2}\/[^"'`$]+\.js)\1\s*\)/g
  const changed = code.replace(
    found,
    (_, quote, path) =>
      `importAgain(new URL(${quote}${path}${quote}, import.meta.url).href, (address) => import(address))`,
  )
  return changed === code ? null : `${changed}\n${importAgain}`
}

/**
 * What each part imports that a page which loads it does not have from its start, as sentences; empty where all is well.
 *
 * @param {Record<string, { type: string, isEntry?: boolean, isDynamicEntry?: boolean, facadeModuleId?: string | null, imports?: string[], dynamicImports?: string[] }>} bundle
 */
export function lateImports(bundle) {
  const chunks = Object.entries(bundle).filter(([, { type }]) => type === 'chunk')
  const closure = (name, later = false, seen = new Set()) => {
    if (seen.has(name)) return seen
    seen.add(name)
    const { imports = [], dynamicImports = [] } = bundle[name] ?? {}
    for (const next of later ? [...imports, ...dynamicImports] : imports) closure(next, later, seen)
    return seen
  }
  const pages = chunks
    .filter(([, { isEntry, facadeModuleId }]) => isEntry && facadeModuleId?.endsWith('.html'))
    .map(([name]) => ({ first: closure(name), ever: closure(name, true) }))
  const faults = []
  for (const [name, { isDynamicEntry }] of chunks) {
    if (!isDynamicEntry) continue
    const its = pages.filter(({ ever }) => ever.has(name))
    for (const needed of closure(name)) {
      if (needed === name || its.every(({ first }) => first.has(needed))) continue
      faults.push(
        `${name} imports ${needed}, which is not loaded at the start of every page that loads ${name}`,
      )
    }
  }
  return faults
}

/** Vite's plugin for the page and its workers. */
export function laterParts() {
  return {
    name: 'oneiro-later-parts',
    apply: 'build',
    // What is written below is in no hash of a file's name by itself.
    augmentChunkHash: () => importAgain.toString(),
    generateBundle: {
      // Behind Vite's own, which finds the styles of a part by its import.
      order: 'post',
      handler(_, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === 'chunk') chunk.code = withImportAgain(chunk.code) ?? chunk.code
        }
        const faults = lateImports(bundle)
        if (faults.length)
          this.error(`A part that loads later could not be tried again:\n${faults.join('\n')}`)
      },
    },
  }
}
