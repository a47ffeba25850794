import { afterEach, describe, expect, test, vi } from 'vitest'
import { importAgain, lateImports, laterParts, withImportAgain } from './parts.mjs'

afterEach(() => {
  globalThis.oneiroParts = undefined
})

/** A browser that remembers by its address that a module failed; the server fails `failures` times. */
function browser(failures) {
  const remembered = new Set()
  const asked = []
  let left = failures
  return {
    asked,
    load: async (address) => {
      asked.push(address)
      if (remembered.has(address) || left-- > 0) {
        remembered.add(address)
        throw new TypeError('Failed to fetch dynamically imported module')
      }
      return { address }
    },
  }
}

describe('a part that failed', () => {
  test('is asked for by another address each time, until it is there', async () => {
    const { asked, load } = browser(2)
    const tried = () => importAgain('https://host/app/hud-1.js', load)
    await expect(tried()).rejects.toThrow(TypeError)
    await expect(tried()).rejects.toThrow(TypeError)
    const part = await tried()
    expect(asked).toEqual(['', '?again=1', '?again=2'].map((query) => `https://host/app/hud-1.js${query}`))
    expect(await tried()).toBe(part)
    expect(asked).toHaveLength(3)
  })

  test('is asked for once where two ask at once, and is none of another part', async () => {
    const { asked, load } = browser(1)
    const both = [importAgain('a.js', load), importAgain('a.js', load)]
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await importAgain('b.js', load)
    expect(asked).toEqual(['a.js', 'b.js'])
  })
})

describe('the code of a chunk', () => {
  test('imports other chunks by it, and everything else as before', async () => {
    const code = 'export const get = () => import("./part-a.js"), own = (at) => import(at)'
    const changed = withImportAgain(code)
    expect(changed).toContain('importAgain(new URL("./part-a.js", import.meta.url).href')
    expect(changed).toContain('own = (at) => import(at)')
    expect(withImportAgain('const a = import("onnxruntime-web")')).toBe(null)
  })

  test('works by itself where it was written in', async () => {
    const dead = `${new URL('./no-such-part.js', import.meta.url)}`
    const code = withImportAgain(`export const get = () => import("./no-such-part.js")`).replace(
      'import.meta.url',
      JSON.stringify(import.meta.url),
    )
    const { get } = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)
    for (const query of ['', '?again=1']) {
      await expect(get()).rejects.toMatchObject({ url: `${dead}${query}` })
    }
    expect(globalThis.oneiroParts.get(dead).failures).toBe(2)
  })
})

describe('what a part imports in its turn', () => {
  /** The stage is a part that both pages load later; the run is one of the first page alone. */
  const bundle = (imports) => ({
    'index.js': {
      ...{ type: 'chunk', isEntry: true, facadeModuleId: '/index.html', imports: ['shared.js'] },
      dynamicImports: ['stage.js', 'run.js'],
    },
    'arena.js': {
      ...{ type: 'chunk', isEntry: true, facadeModuleId: '/arena/index.html', imports: ['shared.js'] },
      dynamicImports: ['stage.js'],
    },
    'shared.js': { type: 'chunk', imports: [] },
    'three.js': { type: 'chunk', imports: [] },
    'stage.js': { type: 'chunk', isDynamicEntry: true, imports },
    'run.js': { type: 'chunk', isDynamicEntry: true, imports: ['index.js'] },
  })

  test('is there from the start of the pages that load it, or the build ends', () => {
    expect(lateImports(bundle(['shared.js']))).toEqual([])
    expect(lateImports(bundle(['three.js', 'shared.js']))).toEqual([
      'stage.js imports three.js, which is not loaded at the start of every page that loads stage.js',
    ])
    const error = vi.fn()
    const chunks = Object.entries(bundle(['index.js'])).map(([name, chunk]) => [name, { ...chunk, code: '' }])
    laterParts().generateBundle.handler.call({ error }, {}, Object.fromEntries(chunks))
    expect(error).toHaveBeenCalledWith(expect.stringMatching(/stage\.js imports index\.js/))
  })
})
