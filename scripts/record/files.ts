/** The folder of a recording: an episode a file, written whole or not at all. */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { pack } from 'msgpackr'

const compress = promisify(deflate)

export interface RecordOptions {
  readonly world: string
  readonly episodes: number
  readonly ticks: number
  readonly seed: number
  readonly out: string
  readonly policy?: string
  readonly angle: string
}

export class EpisodeFolder {
  /** Seeds that are asked for. */
  readonly seeds: readonly number[]

  private constructor(
    private readonly out: string,
    { seed, episodes }: RecordOptions,
    private readonly there: ReadonlySet<string>,
  ) {
    this.seeds = Array.from({ length: episodes }, (_, i) => seed + i)
  }

  /** Makes the folder where it is missing and clears what an earlier recording left half written. */
  static async open(options: RecordOptions): Promise<EpisodeFolder> {
    await mkdir(options.out, { recursive: true })
    for (const name of await readdir(options.out)) {
      if (name.endsWith('.part')) await rm(path.join(options.out, name))
    }
    return new EpisodeFolder(options.out, options, new Set(await readdir(options.out)))
  }

  /** Those that are not there yet. */
  get missing(): number[] {
    return this.seeds.filter((seed) => !this.there.has(path.basename(this.file(seed))))
  }

  /** A msgpack map with the frames deflated; under a temporary name until it is whole. Throws a sentence where it cannot. */
  async write(episode: { seed: number; frames: Uint8Array; [field: string]: unknown }): Promise<void> {
    const file = this.file(episode.seed)
    try {
      const frames = await compress(episode.frames, { level: 1 })
      await writeFile(`${file}.part`, pack({ format: 'oneiro-episode', ...episode, frames }))
      await rename(`${file}.part`, file)
    } catch (error) {
      throw new Error(
        `Could not write to ${this.out}: ${(error as Error).message}. Free some space or choose another --out, then run again: it goes on where it stopped.`,
      )
    }
  }

  private file(seed: number): string {
    return path.join(this.out, `ep-${String(seed).padStart(7, '0')}.msgpack`)
  }
}
