/** The engine's thread, and the command itself as a process. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { BadInputError } from '../src/engine/errors'
import { ACTIONS, IDLE, TINY } from '../src/model/testing'
import type { SocketConstructor } from '../src/net/client/link'
import { imagePictures } from '../src/net/client/pictures'
import { RemoteWorld } from '../src/net/client/remote-world'
import { ThreadedEngine } from './engine/engine-client'
import { DreamServer } from './server'
import { endChildren, serve, start } from './testing/children'
import { tinyEngine } from './testing/servers'

const PATIENCE = 180_000
const ROOT = fileURLToPath(new URL('..', import.meta.url))
afterEach(endChildren)

describe('the engine in its thread', () => {
  it(
    'computes what the engine in this thread computes, and ends',
    async () => {
      const options = { world: TINY, threads: 1, provider: 'cpu', maxBatch: 4 }
      const threaded = await ThreadedEngine.open(options)
      const here = await tinyEngine(4)
      expect(threaded.served).toEqual(here.served)
      for (const engine of [threaded, here]) {
        await engine.reset('a', { seed: 1 }, 'latents')
        await engine.reset('b', { seed: 2 }, 'webp')
      }
      const jobs = [
        { session: 'a', action: ACTIONS[7]!, formats: ['latents', 'jpeg'] as const },
        { session: 'b', action: ACTIONS[1]!, formats: ['webp'] as const },
      ]
      const [there, expected] = [await threaded.step(jobs), await here.step(jobs)]
      expect(there.pictures.map(({ encodeMs, ...rest }) => rest)).toEqual(
        expected.pictures.map(({ encodeMs, ...rest }) => rest),
      )
      await expect(threaded.reset('a', { seed: -1 }, 'latents')).rejects.toBeInstanceOf(BadInputError)
      expect((await threaded.snapshot('a')).tick).toBe(1)
      await here.close()
      await threaded.close()
      await threaded.close()
      await expect(threaded.snapshot('a')).rejects.toMatchObject({ code: 'WORLD_CLOSED' })
    },
    PATIENCE,
  )

  it(
    'a world that is not there is named',
    async () => {
      const open = ThreadedEngine.open({ world: 'no-such-world', threads: 1, provider: 'cpu', maxBatch: 1 })
      await expect(open).rejects.toMatchObject({ code: 'ASSET_MISSING' })
    },
    PATIENCE,
  )
})

function clientOf(port: number) {
  return {
    url: `ws://localhost:${port}`,
    WebSocket: WebSocket as unknown as SocketConstructor,
    pictures: imagePictures(async () => ({ width: 1, height: 1, data: new Uint8ClampedArray(4) })),
    random: () => 0,
  }
}

describe('npm run serve', () => {
  it(
    'serves a world; SIGTERM hands every drive to its client and ends with 0',
    async () => {
      const { child, status, port, output } = serve('--world', TINY, '--port', '0', '--threads', '1')
      await expect.poll(port, { timeout: PATIENCE }).toBeTruthy()
      const world = await RemoteWorld.open(clientOf(port()))
      await world.reset({ seed: 1, prompt: 'a snowy night drive' })
      expect((await world.step(IDLE)).index).toBe(1)
      child.kill('SIGTERM')
      expect(await status).toBe(0)
      expect(output()).toContain('SERVER_DRAINING')
      expect(output()).not.toContain('snowy')
      await world.close()
    },
    PATIENCE,
  )

  it(
    'SIGTERM with 20 sessions loses none: each goes on where it was, on the server that answers next',
    async () => {
      const next = await tinyEngine(20)
      const first = serve(...['--world', TINY, '--port', '0', '--threads', '1', '--max-sessions', '20'])
      await expect.poll(first.port, { timeout: PATIENCE }).toBeTruthy()
      const port = first.port()
      const worlds = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const mode = i % 2 ? ('realtime' as const) : ('lockstep' as const)
          const world = await RemoteWorld.open({ ...clientOf(port), mode })
          await world.reset({ seed: i })
          let last = 0
          for (let tick = 0; tick <= i; tick++) last = (await world.step(IDLE)).index
          return { world, mode, last }
        }),
      )
      first.child.kill('SIGTERM')
      expect(await first.status).toBe(0)
      const server = await DreamServer.start({ engine: next, host: 'localhost', port, maxSessions: 20 })
      await Promise.all(
        worlds.map(async ({ world, mode, last }) => {
          await expect.poll(() => world.stats.reconnects, { timeout: PATIENCE }).toBe(1)
          const { index, epoch } = await world.step(IDLE)
          if (mode === 'lockstep') expect(index).toBe(last + 1)
          // The first may still be a frame of the server that went; the second is not.
          else expect((await world.step(IDLE)).index).toBeGreaterThan(Math.max(last, index))
          expect(epoch).toBe(1)
        }),
      )
      expect(server.sessions.size).toBe(20)
      await Promise.all(worlds.map(({ world }) => world.close()))
      await server.close()
    },
    PATIENCE,
  )

  it(
    'a world is looked for in the folder where the command was typed',
    async () => {
      const command = [process.execPath, join(ROOT, 'scripts/serve.mjs'), '--world', 'tiny']
      const { child, status, port } = start([...command, '--port', '0', '--threads', '1'], {
        cwd: join(TINY, '..'),
      })
      await expect.poll(port, { timeout: PATIENCE }).toBeTruthy()
      child.kill('SIGTERM')
      expect(await status).toBe(0)
    },
    PATIENCE,
  )

  it(
    'says in a sentence why it does not start',
    async () => {
      const { status, output } = serve('--world', TINY, '--host', '0.0.0.0', '--port', '0')
      expect(await status).toBe(2)
      expect(output()).toContain('needs a token')
    },
    PATIENCE,
  )

  it.each([15, 201])(
    'a token that nobody may have or could say is refused at once: one of %i characters',
    async (length) => {
      const { status, output } = serve('--world', TINY, '--token', 'x'.repeat(length), '--port', '0')
      expect(await status).toBe(2)
      expect(output()).toContain(`16 to 200 characters, but one of ${length} came`)
      expect(output()).not.toContain('loading')
    },
    PATIENCE,
  )
})
