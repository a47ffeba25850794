import { createHash, randomBytes } from 'node:crypto'

interface Tokens {
  current: string
  /** What the last connection came with: good until the client is known to have `current`. */
  former: string | null
}

/**
 * Tokens that each open one session: to take it up again, or to watch it. Only hashes are kept. Every connection that
 * takes a session up gets a new one; the one that it came with stays good until the first message after the welcome, as a
 * connection can be lost with the welcome on its way.
 */
export class SessionTokens {
  private readonly owners = new Map<string, string>()
  private readonly tokens = new Map<string, Tokens>()

  constructor(private readonly random: (bytes: number) => Buffer = randomBytes) {}

  /** A new token for a session; `used` is the one that it was just found by. */
  rotate(session: string, used: string | null = null): string {
    const token = this.random(32).toString('base64url')
    this.drop(session)
    const next = { current: hash(token), former: used === null ? null : hash(used) }
    this.tokens.set(session, next)
    for (const one of [next.current, next.former]) if (one) this.owners.set(one, session)
    return token
  }

  /** Takes over a session that has this token already; only its hash is known. */
  adopt(session: string, hashed: string): void {
    this.tokens.set(session, { current: hashed, former: null })
    this.owners.set(hashed, session)
  }

  /** Hashes of what opens a session. */
  hashes(session: string): readonly string[] {
    const { current, former = null } = this.tokens.get(session) ?? {}
    return [current, former].filter((one) => one != null)
  }

  /** The client has the newest token: the one before opens nothing any more. */
  confirm(session: string): void {
    const tokens = this.tokens.get(session)
    if (!tokens?.former) return
    this.owners.delete(tokens.former)
    tokens.former = null
  }

  /** The session that a token opens, or undefined. */
  find(token: string): string | undefined {
    return this.owners.get(hash(token))
  }

  drop(session: string): void {
    const tokens = this.tokens.get(session)
    this.tokens.delete(session)
    if (!tokens) return
    this.owners.delete(tokens.current)
    if (tokens.former) this.owners.delete(tokens.former)
  }

  /** Tokens that open something. */
  get size(): number {
    return this.owners.size
  }
}

/** What is kept of a token: whoever reads the server's memory or a dump of it learns none. */
export function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
