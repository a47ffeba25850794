/** An agent before the tools, in this process, by the SDK's own client. */
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { openWorld } from '../src/node'
import { worldServer } from './server'
import { Worlds } from './worlds'

/** What the tests look at, where the tool answers with it. */
interface Answer {
  readonly world: string
  readonly snapshot: string
  readonly tick: number
  readonly reward: number
  readonly telemetry: Readonly<Record<string, number>>
}

export interface Said {
  readonly text: string
  /** The text as JSON; of an error there is none. */
  readonly json: Answer
  readonly image: Buffer | null
  readonly refused: boolean
}

/** A client of each era of the protocol, over the same worlds: stateless requests, and a connection that begins with `initialize`. */
export async function agents(addresses: readonly string[]) {
  const worlds = new Worlds(addresses, (address) => openWorld(address, { threads: 1 }))
  const stateless = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  const { fetch } = createMcpHandler(() => worldServer(worlds))
  await stateless.connect(
    new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), {
      fetch: (url, init) => fetch(new Request(url, init)),
    }),
  )
  const connected = new Client({ name: 'test', version: '1' })
  const [here, there] = InMemoryTransport.createLinkedPair()
  await worldServer(worlds).connect(there)
  await connected.connect(here)
  return {
    worlds,
    clients: { stateless, connected },
    call: (name: string, args: object = {}) => called(stateless, name, args),
    async close() {
      await stateless.close()
      await connected.close()
      await worlds.closeAll()
    },
  }
}

export async function called(client: Client, name: string, args: object = {}): Promise<Said> {
  const { content, isError } = await client.callTool({ name, arguments: { ...args } })
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  const image = content.find((part) => part.type === 'image')
  return {
    text,
    json: isError ? ({} as Answer) : JSON.parse(text),
    image: image?.type === 'image' ? Buffer.from(image.data, 'base64') : null,
    refused: isError === true,
  }
}
