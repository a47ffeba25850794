// npm run serve
import { runInProcess } from './lib/in-process.mjs'

await runInProcess(new URL('../server/main.ts', import.meta.url))
