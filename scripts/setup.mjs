// npm run setup: everything that the other commands need, so that they start at once.
import { ensureChromium } from './lib/chromium.mjs'
import { ensureNodePackages } from './lib/node-packages.mjs'
import { ensurePython } from './lib/python.mjs'
import { ensureRedis } from './lib/redis.mjs'
import { runMain } from './lib/run.mjs'

const HELP = `npm run setup

Installs what is missing: the npm packages, the Python environment of distill/ and clients/python in .venv, a Chromium for recording and for
the end-to-end tests, and a redis-server for the tests of many machines. Every other command does the part that it needs by itself.`

await runMain(async () => {
  if (process.argv.includes('--help')) return console.log(HELP)
  await ensureNodePackages()
  await ensurePython()
  const chromium = await ensureChromium()
  await ensureRedis()
  console.log(`Ready. Chromium: ${chromium}`)
})
