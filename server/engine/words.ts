/** Whose words are encoded next. */
import { OneiroError } from '../../src/engine/errors'

const DROPPED = 'WORDS_DROPPED'

/** Whoever said the words is not there any more. */
class WordsDroppedError extends OneiroError {
  constructor() {
    super(DROPPED, 'The words were not encoded, as their client left. Say them again.')
  }
}

/** Also of an error that came from another thread. */
export function isDropped(error: unknown): boolean {
  return error instanceof OneiroError && error.code === DROPPED
}

interface Job {
  readonly text: string
  resolve(embedding: Float32Array): void
  reject(error: unknown): void
}

/** One text is encoded at a time, one of each session in turn; what a client that left is waiting for is not. */
export class Words {
  /** By whose turn it is. */
  private readonly waiting = new Map<string, Job[]>()
  private busy = false

  constructor(private readonly encoder: (text: string) => Promise<Float32Array>) {}

  encode(session: string, text: string): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      const jobs = this.waiting.get(session) ?? []
      jobs.push({ text, resolve, reject })
      this.waiting.set(session, jobs)
      void this.work()
    })
  }

  /** What this session has yet to have encoded is refused. */
  drop(session: string): void {
    const jobs = this.waiting.get(session) ?? []
    this.waiting.delete(session)
    for (const { reject } of jobs) reject(new WordsDroppedError())
  }

  private async work(): Promise<void> {
    if (this.busy) return
    this.busy = true
    for (const [session, jobs] of this.waiting) {
      const { text, resolve, reject } = jobs.shift()!
      await this.encoder(text).then(resolve, reject)
      // It keeps its place until now, so that what it says meanwhile comes behind the others.
      if (this.waiting.get(session) !== jobs) continue
      this.waiting.delete(session)
      if (jobs.length > 0) this.waiting.set(session, jobs)
    }
    this.busy = false
  }
}
