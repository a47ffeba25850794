// The npm package: four doors, the workers and threads behind them, and the declarations.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { root } from './run.mjs'

/** Where it is built; package.json names the same folder. */
export const PACKAGE_FOLDER = join(root, 'dist-package')

const DOORS = {
  index: 'src/index.ts',
  node: 'src/node.ts',
  server: 'server/index.ts',
  testing: 'src/testing.ts',
}

/** What npm installs beside it, by package.json. All else is built in, as import maps do not reach into workers. */
function external() {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const brought = Object.keys({ ...dependencies, ...peerDependencies })
  return (id) => id.startsWith('node:') || brought.some((name) => id === name || id.startsWith(`${name}/`))
}

/**
 * Workers and threads become files of their own beside the doors. Vite's library mode would do that too, but leaves an
 * address that no other bundler recognises; `new Worker(new URL('./x.js', import.meta.url))` all know.
 */
function workers() {
  return {
    name: 'oneiro-workers',
    transform(code, id) {
      return code.replaceAll(
        /new URL\('(\.{1,2}\/[\w./-]+?(?:\.ts|-thread\.mjs))', import\.meta\.url\)/g,
        (_, path) => {
          // A thread's first file only lets Node read TypeScript, which is no more needed.
          const file = resolve(dirname(id), path.replace('-thread.mjs', '-worker.ts'))
          const name = basename(path).startsWith('worker.')
            ? `${basename(dirname(file))}-worker`
            : basename(path)
          const fileName = `${name.replace(/\.\w+$/, '')}.js`
          this.emitFile({ type: 'chunk', id: file, fileName })
          return `new URL('./${fileName}', import.meta.url)`
        },
      )
    },
  }
}

/** The licences of what is built in, as their texts ask. */
function licences(chunks) {
  const folders = new Set()
  for (const id of chunks.flatMap(({ moduleIds }) => moduleIds)) {
    const folder = id.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]
    if (folder) folders.add(folder)
  }
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one))
      const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${license}`
      return `${name} ${version}\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

/** Builds it, into an empty folder. Rejects with what a bundler or the compiler says. */
export async function buildPackage() {
  const [{ rolldown }, { dts }] = await Promise.all([import('rolldown'), import('rolldown-plugin-dts')])
  rmSync(PACKAGE_FOLDER, { recursive: true, force: true })
  const input = Object.fromEntries(Object.entries(DOORS).map(([name, path]) => [name, join(root, path)]))
  // One build for all doors, so that an error of one is an `instanceof` of another's class.
  const code = await rolldown({
    input,
    external: external(),
    platform: 'neutral',
    resolve: { conditionNames: ['browser', 'import', 'default'], mainFields: ['module', 'main'] },
    plugins: [workers()],
  })
  const { output } = await code.write({
    dir: PACKAGE_FOLDER,
    chunkFileNames: '[name]-[hash].js',
    minify: true,
    // Errors tell their class by name, which a minifier would shorten: this one, and that of whoever builds with it.
    keepNames: true,
  })
  const types = await rolldown({
    input,
    external: external(),
    plugins: [
      dts({
        cwd: root,
        tsconfig: join(root, 'tsconfig.json'),
        compilerOptions: { stripInternal: true },
        emitDtsOnly: true,
      }),
    ],
  })
  await types.write({ dir: PACKAGE_FOLDER, chunkFileNames: '[name]-[hash].d.ts' })
  const chunks = output.filter(({ type }) => type === 'chunk')
  writeFileSync(join(PACKAGE_FOLDER, 'THIRD-PARTY-LICENSES.txt'), licences(chunks))
  return chunks
}
