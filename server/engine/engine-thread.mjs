// The first file of the engine's thread: it lets the thread read TypeScript, however the server itself was started.
import { register } from 'tsx/esm/api'

register()
await import('./engine-worker.ts')
