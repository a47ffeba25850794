/** What the tools answer with, in few words: an agent pays for each. */
import type { CallToolResult } from '@modelcontextprotocol/server'
import sharp from 'sharp'
import { type Control, OneiroError, type Pixels, type Tick, type World } from '../src/node'

/** Characters of an act's answer, about 200 tokens of numbers. */
export const MOST_CHARACTERS = 450

/** Three digits say what an agent can act on. */
export function short(value: number): number {
  return Number(value.toPrecision(3))
}

/** The same where each character counts: what is next to nothing is 0. */
function shorter(value: number): number {
  return Number(short(value).toFixed(4))
}

export function text(answer: unknown): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(answer) }] }
}

/** A frame and what is known of it. */
export async function picture(frame: Pixels, answer: unknown): Promise<CallToolResult> {
  const { width, height, data } = frame
  const png = await sharp(data, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .png()
    .toBuffer()
  return {
    content: [
      { type: 'image', data: png.toString('base64'), mimeType: 'image/png' },
      ...text(answer).content,
    ],
  }
}

/** A tick by number and by what it says; `readings` as many as fit into `most` characters, and how many did not. */
export function told(world: World, tick: Tick, most = Number.POSITIVE_INFINITY, more: object = {}): object {
  const { ticksPerSecond } = world.info
  const { index, reward, done } = tick
  const known = {
    tick: index,
    seconds: short(index / ticksPerSecond),
    ...(reward === undefined ? {} : { reward: short(reward) }),
    ...(done === undefined ? {} : { done }),
    ...more,
  }
  const all = Object.entries(tick.telemetry ?? {})
  if (all.length === 0) return known
  const rounded = Number.isFinite(most) ? shorter : short
  const readings: Record<string, number> = {}
  let left = most - JSON.stringify(known).length - ',"telemetry":{},"unread":999'.length
  for (const [name, value] of all) {
    const read = rounded(value)
    left -= `"${name}":${read},`.length
    if (left < 0) break
    readings[name] = read
  }
  const unread = all.length - Object.keys(readings).length
  return { ...known, telemetry: readings, ...(unread > 0 ? { unread } : {}) }
}

/** What can be held, as an agent writes it: `turn -1 (left), 0, 1 (right); jump 0, 1`. */
export function controlsIn(controls: readonly Control[]): string {
  return controls
    .map((control) => {
      if (control.kind === 'button') return `${control.name} 0, 1`
      const { name, values, labels } = control
      let label = 0
      const each = values.map((value) => {
        const word = value === 0 ? undefined : labels?.[label++]
        return word ? `${value} (${word})` : `${value}`
      })
      return `${name} ${each.join(', ')}`
    })
    .join('; ')
}

/** An error as an agent can act on it: its code, its sentence, and what would be right. Others are not ours to explain. */
export function refused(error: unknown, hint = ''): CallToolResult {
  if (!(error instanceof OneiroError)) throw error
  return {
    isError: true,
    content: [{ type: 'text', text: `${error.code}: ${error.message}${hint ? ` ${hint}` : ''}` }],
  }
}
