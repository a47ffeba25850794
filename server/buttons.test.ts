import { fileURLToPath } from 'node:url'
import * as ort from 'onnxruntime-node'
import { afterAll } from 'vitest'
import { WebSocket } from 'ws'
import { checkWorld } from '../src/engine/testing/world-suite'
import { NO_CACHE } from '../src/model/assets/assets'
import { LatentDecoder } from '../src/model/dream/latent-decoder'
import { folderOnDisk, nodeSession } from '../src/model/node'
import type { SocketConstructor } from '../src/net/client/link'
import { latentPictures } from '../src/net/client/pictures'
import { RemoteWorld } from '../src/net/client/remote-world'
import { openEngine } from './engine/open-engine'
import { DreamServer } from './server'

const world = fileURLToPath(new URL('../contract/buttons', import.meta.url))
let server: DreamServer | null = null
afterAll(() => server?.close())

checkWorld('a world that is not a drive, over a server', {
  open: async () => {
    const engine = () => openEngine({ world, threads: 1, provider: 'cpu', maxBatch: 4 })
    server ??= await DreamServer.start({ host: '127.0.0.1', port: 0, engine: await engine() })
    const source = folderOnDisk(world)
    const decoder = await LatentDecoder.open({ ort, source, cache: NO_CACHE, session: nodeSession(1) })
    return RemoteWorld.open({
      url: `ws://127.0.0.1:${server.port}`,
      WebSocket: WebSocket as unknown as SocketConstructor,
      pictures: latentPictures(decoder),
      random: () => 0,
    })
  },
  starts: ['dim', 'bright'],
  ticks: 3,
})
