// npm run mcp
import { runInProcess } from './lib/in-process.mjs'

await runInProcess(new URL('../mcp/main.ts', import.meta.url))
