/** The engine's thread, and the command itself as a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ACTIONS, IDLE } from '../src/engine/action'
import { BadInputError } from '../src/engine/errors'
import { TINY } from '../src/model/testing'
import type { SocketConstructor } from '../src/net/link'
import { imagePictures } from '../src/net/pictures'
import { RemoteWorld } from '../src/net/remote-world'
import { ThreadedEngine } from './engine-client'
import { tinyEngine } from './testing'

const root = fileURLToPath(new URL('..', import.meta.url))
const PATIENCE = 180_000
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

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
        { session: 'a', action: ACTIONS[7]!, format: 'latents' as const },
        { session: 'b', action: ACTIONS[1]!, format: 'webp' as const },
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

function serve(...args: string[]) {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const child = spawn(process.execPath, ['--import', tsx, 'server/main.ts', ...args], { cwd: root })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data
    })
  }
  const status = new Promise<number | null>((resolve) => child.on('exit', resolve))
  return { child, status, output: () => output }
}

describe('npm run serve', () => {
  it(
    'serves a world; SIGTERM hands every drive to its client and ends with 0',
    async () => {
      const { child, status, output } = serve('--world', TINY, '--port', '0', '--threads', '1')
      await expect.poll(() => output().match(/"port":(\d+)/)?.[1], { timeout: PATIENCE }).toBeTruthy()
      const port = output().match(/"port":(\d+)/)![1]
      const world = await RemoteWorld.open({
        url: `ws://localhost:${port}`,
        WebSocket: WebSocket as unknown as SocketConstructor,
        pictures: imagePictures(async () => ({ width: 1, height: 1, data: new Uint8ClampedArray(4) })),
        random: () => 0,
      })
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
    'says in a sentence why it does not start',
    async () => {
      const { status, output } = serve('--world', TINY, '--host', '0.0.0.0', '--port', '0')
      expect(await status).toBe(2)
      expect(output()).toContain('needs a token')
    },
    PATIENCE,
  )
})
