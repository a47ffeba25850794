/** `npm run mcp`: worlds for language models. On stdio nothing but the protocol is written to stdout. */
import { resolve } from 'node:path'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { Command, InvalidArgumentError } from 'commander'
import sharp from 'sharp'
import { openWorld, type World } from '../src/node'
import { serveHttp } from './http'
import { worldServer } from './server'
import { Worlds } from './worlds'

interface Options {
  world: string[]
  http?: number
  token?: string
  threads: number
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || text.trim() === '') {
    throw new InvalidArgumentError('A whole number from 0 on was expected.')
  }
  return value
}

/** From the folder where it was typed: npm runs commands in the project's own. */
function address(text: string): string {
  return /^wss?:/.test(text) ? text : resolve(process.env.INIT_CWD ?? process.cwd(), text)
}

function open(address: string, { token, threads }: Options): Promise<World> {
  if (!/^wss?:/.test(address)) return openWorld(address, { threads })
  return openWorld(address, {
    token,
    async decodeImage(bytes) {
      const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
      return { width: info.width, height: info.height, data: new Uint8ClampedArray(data) }
    },
  })
}

async function main(options: Options): Promise<void> {
  const named = options.world.length > 0 ? options.world : [resolve('assets/drive')]
  const worlds = new Worlds(named, (address) => open(address, options))
  if (options.http !== undefined) {
    const { url, close } = await serveHttp(worlds, options.http)
    console.error(`Worlds ${worlds.names.join(', ')} at ${url}`)
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.once(signal, async () => {
        await close()
        await worlds.closeAll()
      })
    }
    return
  }
  const transport = new StdioServerTransport()
  serveStdio(() => worldServer(worlds), { transport })
  // An agent that is gone leaves nothing to wait for.
  process.stdin.once('close', () => process.exit(0))
}

const collect = (value: string, all: string[]) => [...all, address(value)]

await new Command('npm run mcp --')
  .description('Worlds for language models, over the Model Context Protocol: on stdio, or on HTTP.')
  .option(
    '--world <address>',
    'folder of a world, or a server at ws://; may be repeated (default: assets/drive)',
    collect,
    [],
  )
  .option(
    '--http <port>',
    'listen on this port of this machine, at /mcp, instead of stdio; 0 takes any that is free',
    whole,
  )
  .option(
    '--token <text>',
    'what opens the servers (or ONEIRO_TOKEN in the environment)',
    process.env.ONEIRO_TOKEN,
  )
  .option('--threads <number>', 'threads inside one forward pass', whole, 2)
  .action(async (options: Options) => {
    try {
      await main(options)
    } catch (error) {
      console.error((error as Error).message)
      process.exitCode = 2
    }
  })
  .parseAsync()
