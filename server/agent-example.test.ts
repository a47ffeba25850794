/** The client that the README prints is a program, and plays as printed. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { TINY } from '../src/model/testing'
import { endChildren, serve, start, tsxOf } from './testing/children'

const PATIENCE = 600_000
const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
afterEach(endChildren)

it('is printed as it is', () => {
  const printed = read('../src/net/README.md').match(/```ts\n(.*?)```/s)![1]
  expect(printed).toBe(read('../examples/agent.ts'))
})

it(
  'plays on a server of this world in latents, and on one of another world in images',
  async () => {
    for (const [world, size] of [
      ['assets/drive', '160x96'],
      [TINY, '160x96'],
    ] as const) {
      const server = serve('--world', world, '--port', '0', '--threads', '1', '--max-sessions', '1')
      await expect.poll(server.port, { timeout: PATIENCE, interval: 200 }).toBeTruthy()
      const client = start(tsxOf('examples/agent.ts', `ws://localhost:${server.port()}`))
      expect(await client.status).toBe(0)
      expect(client.output()).toContain(`tick 20: ${size}`)
    }
  },
  PATIENCE,
)
