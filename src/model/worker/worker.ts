/// <reference lib="webworker" />
import { BadInputError } from '../../engine/errors'
import type { Tick } from '../../engine/world'
import { useRuntimes } from '../backends/runtimes'
import { toWire } from '../errors'
import { Host, whileAlive } from './host'
import type { CallMessage, FromWorker, OpenMessage, ToWorker, WorkerCalls } from './protocol'

const scope = self as unknown as DedicatedWorkerGlobalScope
let calls: WorkerCalls | null = null

// A bundler that makes one file of this worker has put ONNX Runtime into it, which then starts its threads from here.
if (scope.name === 'em-pthread') void import('onnxruntime-web/wasm')
else {
  scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    void (data.kind === 'open' ? open(data.options) : answer(data))
  }
}

async function open(options: OpenMessage['options']): Promise<void> {
  useRuntimes(options.runtimes)
  try {
    // A download over a slow line says nothing for long either.
    const host = await whileAlive(tell, Host.open(options, tell))
    calls = callsOf(host, options.threads)
    const { world, files, tickMs, slowGpu } = host
    tell({ kind: 'opened', opened: { info: world.info, manifest: files.manifest, tickMs, slowGpu } })
  } catch (error) {
    tell({ kind: 'not-opened', error: toWire(error) })
  }
}

async function answer({ id, name, args }: CallMessage): Promise<void> {
  try {
    const call = calls![name] as (...args: readonly unknown[]) => Promise<unknown>
    const value = await call(...args)
    scope.postMessage({ kind: 'result', id, value } satisfies FromWorker, buffersOf(value))
  } catch (error) {
    tell({ kind: 'error', id, error: toWire(error) })
  }
}

function callsOf(host: Host, threads: number): WorkerCalls {
  const { world } = host
  const needGpu = (call: string) =>
    new BadInputError(`${call}() needs the WebGPU backend, but this dream runs on ${world.info.backend}.`)
  return {
    reset: (options) => world.reset(options),
    step: (action) => world.step(action),
    setPrompt: (prompt) => world.setPrompt(prompt),
    snapshot: () => world.snapshot(),
    restore: (snapshot) => world.restore(snapshot),
    readPixels: () => world.readPixels(),
    readTelemetry: () => world.readTelemetry(),
    async attachCanvas(canvas, width, height, fit) {
      if (!host.attach(canvas, width, height, fit)) throw needGpu('attachCanvas')
    },
    resizeCanvas: async (width, height, fit) => host.resize(width, height, fit),
    stats: async () => ({ ...world.stats, threads }),
    async loseDevice() {
      if (!host.loseDevice()) throw needGpu('loseDevice')
    },
    close: () => world.close(),
  }
}

/** A frame's pixels are made for one tick, so they move to the page instead of being copied. */
function buffersOf(value: unknown): Transferable[] {
  const { frame, data } = (value ?? {}) as Partial<Tick> & { data?: unknown }
  if (frame) return [frame.data.buffer]
  return data instanceof Uint8ClampedArray ? [data.buffer] : []
}

function tell(message: FromWorker): void {
  // An event with an error crosses as a wire error; the client gives it its class back.
  if (message.kind === 'event' && message.event.type === 'failed') {
    const error = toWire(message.event.error) as never
    scope.postMessage({ ...message, event: { ...message.event, error } })
  } else scope.postMessage(message)
}
