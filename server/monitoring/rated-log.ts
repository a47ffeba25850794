/** Where the server writes what happens; `pino` fits. No prompt, token or frame is ever among it. */
export interface Log {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export const QUIET: Log = { info: () => {}, warn: () => {}, error: () => {} }

/** Lines of one kind that are written within `WINDOW_MS`; of the others only their number is. */
export const LINES = 20
export const WINDOW_MS = 10_000

type Level = keyof Log

interface Kind {
  readonly level: Level
  readonly fields: object
  readonly text: string
  sinceMs: number
  lines: number
  more: number
}

/** A log that strangers cannot fill: of each kind of line so many are written, and then how many more there were. */
export class RatedLog implements Log {
  private readonly kinds = new Map<string, Kind>()

  constructor(
    private readonly log: Log,
    private readonly now: () => number,
  ) {}

  info(fields: object, text: string): void {
    this.say('info', fields, text)
  }

  warn(fields: object, text: string): void {
    this.say('warn', fields, text)
  }

  error(fields: object, text: string): void {
    this.say('error', fields, text)
  }

  /** Tells of what was left out, once its time is over. */
  sweep(nowMs: number): void {
    for (const [key, kind] of this.kinds) {
      if (nowMs - kind.sinceMs < WINDOW_MS) continue
      this.kinds.delete(key)
      this.tell(kind)
    }
  }

  /** Tells of all that was left out. */
  end(): void {
    this.sweep(Number.POSITIVE_INFINITY)
  }

  private say(level: Level, fields: object, text: string): void {
    const nowMs = this.now()
    const code = (fields as { code?: unknown }).code
    // Codes and texts are constants of the program, so there are few of these.
    const key = `${level} ${text} ${typeof code === 'string' ? code : ''}`
    const kind = this.kinds.get(key)
    if (!kind || nowMs - kind.sinceMs >= WINDOW_MS) {
      if (kind) this.tell(kind)
      const known = typeof code === 'string' ? { code } : {}
      this.kinds.set(key, { ...{ level, text, sinceMs: nowMs, more: 0 }, lines: 1, fields: known })
    } else if (kind.lines >= LINES) {
      kind.more++
      return
    } else kind.lines++
    this.log[level](fields, text)
  }

  private tell({ level, fields, text, more }: Kind): void {
    if (more > 0) this.log[level]({ ...fields, more }, `${text}: ${more} more of these were not written`)
  }
}
