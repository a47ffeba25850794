// node scripts/tsx.mjs FILE ARGS: runs a TypeScript file of the project; installs the npm packages first where they are missing.
import { ensureNodePackages } from './lib/node-packages.mjs'
import { run, runMain } from './lib/run.mjs'

await runMain(async () => {
  await ensureNodePackages()
  process.env.INIT_CWD ??= process.cwd()
  return (await run(process.execPath, ['--import', 'tsx', ...process.argv.slice(2)])).status
})
