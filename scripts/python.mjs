// node scripts/python.mjs ARGS: the project's own Python with these arguments; sets it up first where it is missing.
import { ensurePython } from './lib/python.mjs'
import { run, runMain } from './lib/run.mjs'

await runMain(async () => {
  const python = await ensurePython()
  return (await run(python, process.argv.slice(2))).status
})
