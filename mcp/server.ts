/** The tools: worlds for language models, over the Model Context Protocol. */
import { type CallToolResult, McpServer } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { BadInputError } from '../src/node'
import { controlsIn, MOST_CHARACTERS, picture, refused, short, text, told } from './answers'
import type { Worlds } from './worlds'

const HOW = `Worlds that a neural network dreams, tick by tick. open gives a handle, which every other tool takes as "world".
act holds controls for some ticks and answers in numbers; look shows the picture. Between calls time stands still.
Where a world listens to words, say changes it in the middle. snapshot, restore and fork go back and try things out.`

/** Ticks of one act: a client waits a minute for an answer, also on a machine that is slow. */
const LONGEST_ACT = 100

const world = z.string().describe('The handle that open or fork gave.')

/**
 * A server of the protocol over these worlds. It keeps nothing itself: every call names its world, so any number of servers
 * and connections may stand before the same `worlds`.
 *
 * @example
 * serveStdio(() => worldServer(new Worlds(['assets/drive'], openWorld)))
 */
export function worldServer(worlds: Worlds): McpServer {
  const server = new McpServer(
    { name: 'oneiro', version: '0.1.0' },
    { capabilities: { tools: {} }, instructions: HOW },
  )

  server.registerTool(
    'open',
    {
      description: `Opens a world and begins it. Worlds here: ${worlds.names.join(', ')}. Answers with its handle and what can be done in it.`,
      inputSchema: z.object({
        name: z.string().optional().describe(`Which one; left out, ${worlds.names[0]}.`),
        seed: z.number().optional().describe('A whole number; every seed is another place. Left out, 0.'),
        prompt: z.string().optional().describe('Words to begin from, in a world that listens to some.'),
        start: z.string().optional().describe('Id of a start state.'),
      }),
    },
    (opening) => answered(async () => beginning(await worlds.begin(opening))),
  )

  server.registerTool(
    'look',
    {
      description: 'The picture as it is now, and all that the instruments read. Moves nothing.',
      inputSchema: z.object({ world }),
      annotations: { readOnlyHint: true },
    },
    ({ world: handle }) =>
      answered(async () => {
        const { world, tick } = await worlds.look(handle)
        return picture(tick.frame ?? (await world.readPixels()), told(world, tick))
      }),
  )

  server.registerTool(
    'act',
    {
      description: `Holds controls for some ticks; those that are not named rest. Stops where the episode ends. Answers with the tick, the reward over these ticks and the first readings, and no picture.`,
      inputSchema: z.object({
        world,
        hold: z
          .record(z.string(), z.unknown())
          .describe('Values by the names of controls, like {"jump":1}; open lists them. {} holds nothing.'),
        ticks: z.number().optional().describe(`1 to ${LONGEST_ACT}. Left out, 1.`),
      }),
    },
    ({ world: handle, hold, ticks = 1 }) =>
      answered(
        async () => {
          if (!Number.isInteger(ticks) || ticks < 1 || ticks > LONGEST_ACT) {
            throw new BadInputError(`Ticks are a whole number from 1 to ${LONGEST_ACT}, but ${ticks} came.`)
          }
          const { tick, reward, ticks: made } = await worlds.act(handle, hold, ticks)
          const early = made < ticks ? { stopped: `the episode ended ${made} ticks on` } : {}
          const over = reward === undefined ? {} : { reward: short(reward) }
          return text(told(worlds.seat(handle).world, tick, MOST_CHARACTERS, { ...over, ...early }))
        },
        () => `Controls: ${controlsIn(worlds.seat(handle).world.info.controls)}.`,
      ),
  )

  server.registerTool(
    'say',
    {
      description: 'Says words to a world that listens to some: it turns into them, without beginning anew.',
      inputSchema: z.object({ world, words: z.string() }),
    },
    ({ world: handle, words }) =>
      answered(async () => text({ said: words, countsFromTick: await worlds.say(handle, words) })),
  )

  server.registerTool(
    'snapshot',
    {
      description: 'Keeps where a world is. Answers with the name that restore takes.',
      inputSchema: z.object({ world }),
    },
    ({ world: handle }) =>
      answered(async () => {
        const { name, tick } = await worlds.snapshot(handle)
        return text({ snapshot: name, tick })
      }),
  )

  server.registerTool(
    'restore',
    {
      description: 'Puts a world back to a snapshot, its own or that of another handle of the same world.',
      inputSchema: z.object({ world, snapshot: z.string() }),
    },
    ({ world: handle, snapshot }) =>
      answered(async () => {
        const tick = await worlds.restore(handle, snapshot)
        return text(told(worlds.seat(handle).world, tick, MOST_CHARACTERS))
      }),
  )

  server.registerTool(
    'fork',
    {
      description: 'Opens another handle that goes on from where this world is; this one stays as it is.',
      inputSchema: z.object({ world }),
    },
    ({ world: handle }) => answered(async () => beginning(await worlds.fork(handle))),
  )

  server.registerTool(
    'close',
    { description: 'Closes a world. Its snapshots stay.', inputSchema: z.object({ world }) },
    ({ world: handle }) =>
      answered(async () => {
        await worlds.close(handle)
        return text({ closed: handle, open: worlds.handles })
      }),
  )

  return server
}

/** What an agent needs to know of a world that it has now. */
function beginning({ handle, world, newest }: Awaited<ReturnType<Worlds['begin']>>): CallToolResult {
  const { width, height, ticksPerSecond, controls, prompt, telemetry, reward, done } = world.info
  return text({
    world: handle,
    tick: newest.index,
    ticksPerSecond,
    picture: `${width}x${height}`,
    controls: controlsIn(controls),
    words: prompt,
    reward,
    done,
    telemetry: Object.fromEntries(telemetry.map(({ name, unit }) => [name, unit])),
  })
}

/** The answer, or a refusal in a sentence; `hint` is added where it is known by then. */
async function answered(ask: () => Promise<CallToolResult>, hint?: () => string): Promise<CallToolResult> {
  try {
    return await ask()
  } catch (error) {
    return refused(error, hinted(hint))
  }
}

function hinted(hint: (() => string) | undefined): string {
  try {
    return hint?.() ?? ''
  } catch {
    // There is no such world, and the error says which there are.
    return ''
  }
}
