import { loadPart } from '../app/offline/newer'
import type { BackendChoice } from '../app/params'
import { BadInputError } from '../engine/errors'
import type { DreamClient, LoadProgress } from '../model/open'
import { namesOf } from './address'
import type { Choices } from './plan'
import type { StudentTag } from './votes'

/** Two students that can be compared, opened. */
export interface Pair {
  readonly worlds: readonly [DreamClient, DreamClient]
  readonly tags: readonly [StudentTag, StudentTag]
  readonly choices: Choices
  readonly ticksPerSecond: number
}

/** What of a student decides whether it can be compared. */
export interface Described {
  readonly info: Pick<DreamClient['info'], 'modelHash' | 'width' | 'height' | 'ticksPerSecond'>
  readonly manifest: Pick<DreamClient['manifest'], 'starts' | 'presets'>
}

/** How much of the bar a student has filled once a phase is under way, and once it is done. */
const SHARE: Readonly<Record<string, readonly [number, number]>> = {
  manifest: [0, 0.05],
  download: [0.05, 0.7],
  compile: [0.7, 0.9],
  'self-test': [0.9, 0.95],
  calibrate: [0.95, 1],
  ready: [1, 1],
}

/** Opens both. Rejects with a named error of the model, or `BadInputError` where they cannot be compared. */
export async function openPair(
  folders: readonly [string, string],
  options: { readonly backend: BackendChoice; readonly promptEncoderUrl: string },
  onProgress: (fraction: number) => void,
): Promise<Pair> {
  const { openWorld } = await loadPart(() => import('../index'))
  const filled = [0, 0]
  const opening = folders.map((url, i) =>
    openWorld(new URL(url, document.baseURI), {
      ...options,
      // Two dream at once: more threads for one would be taken from the other.
      threads: 1,
      onProgress: (progress) => {
        filled[i] = Math.max(filled[i]!, fractionOf(progress))
        onProgress((filled[0]! + filled[1]!) / 2)
      },
    }),
  )
  const opened = await Promise.allSettled(opening)
  const worlds = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const close = () => Promise.all(worlds.map((world) => world.close()))
  for (const one of opened) {
    if (one.status === 'fulfilled') continue
    await close()
    throw one.reason
  }
  const [a, b] = worlds as [DreamClient, DreamClient]
  try {
    const choices = inCommon(a, b)
    const names = namesOf(folders[0], folders[1])
    return {
      worlds: [a, b],
      tags: [
        { name: names[0], modelHash: a.info.modelHash },
        { name: names[1], modelHash: b.info.modelHash },
      ],
      choices,
      ticksPerSecond: a.info.ticksPerSecond,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The starts and words that both know. Throws `BadInputError` where a comparison would say nothing. */
export function inCommon(a: Described, b: Described): Choices {
  if (a.info.modelHash === b.info.modelHash) {
    throw new BadInputError(
      `Two different students were expected, but both folders hold the one with hash ${a.info.modelHash.slice(0, 12)}. Give another folder for one of them.`,
    )
  }
  for (const name of ['width', 'height', 'ticksPerSecond'] as const) {
    if (a.info[name] === b.info[name]) continue
    throw new BadInputError(
      `Students that are alike but for their weights were expected, but ${name} is ${a.info[name]} in one and ${b.info[name]} in the other. Export them for the same world.`,
    )
  }
  const startsOfB = new Set(b.manifest.starts.map(({ id }) => id))
  const wordsOfB = new Set(b.manifest.presets.map(({ text }) => text))
  const starts = a.manifest.starts.filter(({ id }) => startsOfB.has(id))
  const prompts = a.manifest.presets.map(({ text }) => text).filter((text) => wordsOfB.has(text))
  if (starts.length === 0 || prompts.length === 0) {
    const what = starts.length === 0 ? 'start state' : 'preset of words'
    throw new BadInputError(
      `The two students were expected to begin alike, but they have no ${what} in common. Export them for the same world.`,
    )
  }
  return { starts: starts.map(({ id, caption }) => ({ id, caption })), prompts }
}

function fractionOf({ phase, loaded, total }: LoadProgress): number {
  const [from, to] = SHARE[phase] ?? [0, 1]
  return phase === 'download' && total > 0 ? from + (to - from) * Math.min(1, loaded / total) : from
}
