import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openWorld } from '../src/node'
import { serveHttp } from './http'
import { called } from './testing'
import { Worlds } from './worlds'

const BUTTONS = fileURLToPath(new URL('../contract/buttons', import.meta.url))
const worlds = new Worlds([BUTTONS], (address) => openWorld(address, { threads: 1 }))
let server: Awaited<ReturnType<typeof serveHttp>>
beforeAll(async () => {
  server = await serveHttp(worlds, 0)
})
afterAll(async () => {
  await server.close()
  await worlds.closeAll()
})

it.each(['auto', 'legacy'] as const)('plays over HTTP, a request at a time (%s)', async (mode) => {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url)))
  const { world } = (await called(client, 'open')).json
  expect((await called(client, 'act', { world, hold: { red: 1 }, ticks: 3 })).json).toMatchObject({ tick: 3 })
  await client.close()
  // What it opened is there for whoever names it.
  expect(worlds.handles).toContain(world)
})

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const posted = (headers: Record<string, string>, body: string, path = '/mcp') =>
  new Promise<number | undefined>((resolve, reject) => {
    const { hostname, port } = new URL(server.url)
    const options = {
      hostname,
      port,
      path,
      method: 'POST',
      headers: { ...JSON_HEADERS, ...headers },
    }
    const asked = request(options, (response) => resolve(response.resume().statusCode))
    asked.on('error', reject)
    asked.end(body)
  })

it.each([
  ['a page of another site', { origin: 'https://example.org' }, '{}', 403],
  ['a name that a stranger points here', { host: 'example.org' }, '{}', 403],
  ['more than a call can say', {}, `{"a":"${'x'.repeat(70_000)}"}`, 413],
  ['what is no JSON', {}, '{', 400],
])('turns away %s', async (_, headers, body, status) => {
  expect(await posted(headers, body)).toBe(status)
})

it('is at one path only', async () => {
  expect(await posted({}, '{}', '/')).toBe(404)
})

it('says that a port is taken', async () => {
  await expect(serveHttp(worlds, Number(new URL(server.url).port))).rejects.toThrow('EADDRINUSE')
})
