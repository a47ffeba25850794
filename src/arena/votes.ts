import { z } from '../engine/schema'

export const QUESTIONS = ['quality', 'following'] as const
export type Question = (typeof QUESTIONS)[number]

export const VERDICTS = ['left', 'neither', 'right'] as const
export type Verdict = (typeof VERDICTS)[number]

const whole = z.int().check(z.minimum(0))
const student = z.strictObject({ name: z.string(), modelHash: z.string() })
const verdict = z.enum(VERDICTS)

const vote = z.strictObject({
  /** Seed of the session; with `round` it gives the plan again. */
  session: whole,
  round: z.int().check(z.minimum(1)),
  at: z.iso.datetime(),
  seed: whole,
  start: z.string(),
  prompt: z.string(),
  ticks: z.int().check(z.minimum(1)),
  left: student,
  right: student,
  quality: verdict,
  following: verdict,
})

const kept = z.strictObject({
  format: z.literal('oneiro-arena'),
  version: z.literal(1),
  votes: z.array(vote),
})

/** Who was voted on: the hash tells students apart, the name is for people. */
export type StudentTag = z.infer<typeof student>
export type Vote = z.infer<typeof vote>

const KEY = 'oneiro-arena'
const DAMAGED_KEY = 'oneiro-arena-damaged'

/** The part of `localStorage` that is used. */
export type StorageLike = Pick<Storage, 'getItem' | 'setItem'>

/** All votes of this browser. Where they cannot be kept they last as long as the page, and `trouble` says so. */
export class VoteBox {
  /** A sentence on what is wrong, or null. */
  trouble: string | null = null
  private last: readonly Vote[] = []
  /** Storage failed: what counts from now on is what the page remembers. */
  private forgetful = false

  constructor(private readonly storage: StorageLike | null) {
    this.last = this.read()
  }

  get votes(): readonly Vote[] {
    return this.last
  }

  /** Another tab may have voted meanwhile, so the box is read again first. */
  add(vote: Vote): void {
    this.write([...this.read(), vote])
  }

  /** Forgets some votes. */
  remove(gone: readonly Vote[]): void {
    const keys = new Set(gone.map(keyOf))
    this.write(this.read().filter((vote) => !keys.has(keyOf(vote))))
  }

  private read(): readonly Vote[] {
    let text: string | null
    try {
      if (!this.storage) throw new Error('this browser gives the page no storage')
      text = this.storage.getItem(KEY)
    } catch (error) {
      this.cannotKeep(error)
      return this.last
    }
    if (this.forgetful) return this.last
    if (text === null) return []
    try {
      return kept.parse(JSON.parse(text)).votes
    } catch {
      this.setAside(text)
      return []
    }
  }

  private write(votes: readonly Vote[]): void {
    this.last = votes
    try {
      this.storage?.setItem(KEY, JSON.stringify({ format: 'oneiro-arena', version: 1, votes }))
    } catch (error) {
      this.cannotKeep(error)
    }
  }

  private cannotKeep(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error)
    this.forgetful = true
    this.trouble = `Votes cannot be kept here (${why}): export them before you close the page.`
  }

  /** What cannot be read is not thrown away: somebody gave these votes. */
  private setAside(text: string): void {
    try {
      this.storage?.setItem(DAMAGED_KEY, text)
      this.storage?.setItem(KEY, JSON.stringify({ format: 'oneiro-arena', version: 1, votes: [] }))
      this.trouble = `The votes kept here could not be read, and lie as "${DAMAGED_KEY}" in this browser's storage. Counting begins anew.`
    } catch (error) {
      this.cannotKeep(error)
    }
  }
}

function keyOf({ session, round, at }: Vote): string {
  return `${session} ${round} ${at}`
}
