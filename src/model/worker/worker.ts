/// <reference lib="webworker" />
import { BadInputError } from '../../engine/errors'
import type { Tick } from '../../engine/world'
import { useRuntimes } from '../backends/runtimes'
import { toWire } from '../errors'
import { answerCalls } from '../port/answer-calls'
import { Host, whileAlive } from './host'
import type { HostMessage, Opened, OpenOptions, WorkerCalls } from './protocol'

const scope = self as unknown as DedicatedWorkerGlobalScope

// A bundler that makes one file of this worker has put ONNX Runtime into it, which then starts its threads from here.
if (scope.name === 'em-pthread') void import('onnxruntime-web/wasm')
else answerCalls<HostMessage>(scope, dream, { transfer: buffersOf })

function dream(post: (message: HostMessage) => void): object {
  const tell = (message: HostMessage) => post(crossing(message))
  const calls = {
    async open(options: OpenOptions): Promise<Opened> {
      useRuntimes(options.runtimes)
      // A download over a slow line says nothing for long either.
      const host = await whileAlive(tell, Host.open(options, tell))
      Object.assign(calls, callsOf(host, options.threads))
      const { world, files, tickMs, slowGpu } = host
      return { info: world.info, manifest: files.manifest, tickMs, slowGpu }
    },
  }
  return calls
}

function callsOf(host: Host, threads: number): Omit<WorkerCalls, 'open'> {
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

/** An event with an error crosses as a wire error; the client gives it its class back. */
function crossing(message: HostMessage): HostMessage {
  if (message.kind !== 'event' || message.event.type !== 'failed') return message
  return { ...message, event: { ...message.event, error: toWire(message.event.error) as never } }
}
