// npm run mcp: in this very process, since an agent talks to it by stdin and stdout.
import { fileURLToPath } from 'node:url'
import { ensureNodePackages } from './lib/node-packages.mjs'
import { root, runMain } from './lib/run.mjs'

const main = new URL('../mcp/main.ts', import.meta.url)

await runMain(async () => {
  await ensureNodePackages()
  process.env.INIT_CWD ??= process.cwd()
  process.chdir(root)
  // The command line reads its options from behind the file's name.
  process.argv[1] = fileURLToPath(main)
  const { register } = await import('tsx/esm/api')
  register()
  await import(main.href)
  return process.exitCode
})
