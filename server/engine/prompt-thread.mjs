// The first file of the prompt encoder's thread; as engine-thread.mjs is of the engine's.
import { register } from 'tsx/esm/api'

register()
await import('./prompt-worker.ts')
