/** Names that only this machine answers to. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/**
 * Whether a client that was given `named` may be sent to `url` by a server: a plain websocket address, encrypted where the
 * first one was, and on this machine only where the first one was.
 */
export function mayFollow(named: string, url: string): boolean {
  if (!URL.canParse(url) || !URL.canParse(named)) return false
  const [from, to] = [new URL(named), new URL(url)]
  const allowed = from.protocol === 'ws:' || from.protocol === 'http:' ? ['ws:', 'wss:'] : ['wss:']
  if (!allowed.includes(to.protocol)) return false
  if (to.username || to.password) return false
  return !LOOPBACK.test(to.hostname) || LOOPBACK.test(from.hostname)
}

/** Addresses that are remembered of servers that are not told of any more. */
const MOST_FORMER = 8

/** The addresses at which a session may be found, and the one to try next. */
export class Addresses {
  /** Where the session was last. */
  private home: string
  private others: readonly string[] = []
  /** Told of once, newest first: a server that was away may be back when all others are gone. */
  private former: readonly string[] = []
  /** What is still to be tried in this round; its head is next. */
  private round: string[]
  private jumped = false

  /** `named`: the address that the user gave. */
  constructor(private readonly named: string) {
    this.home = named
    this.round = [named]
  }

  get next(): string {
    return this.round[0]!
  }

  /** Addresses of one round. */
  get count(): number {
    return this.all().length
  }

  /** There are other servers, as far as is known. */
  get hasOthers(): boolean {
    return this.others.some((url) => url !== this.home)
  }

  /** A session is here now: a lost connection is first tried for at the same place. */
  settled(): void {
    this.remember([this.home])
    this.home = this.next
    this.begin()
  }

  /** What the session's server says of the others. */
  learn(urls: readonly string[]): void {
    this.remember(this.others)
    this.others = urls.filter((url) => mayFollow(this.named, url))
    this.begin()
  }

  /** The next one says nothing any more: it comes last in this round. */
  avoid(): void {
    const [next, ...rest] = this.round
    this.round = [...rest, next!]
  }

  /** The address was of no use. True where a round is over, and the next one begins. */
  failed(): boolean {
    this.round.shift()
    this.jumped = false
    if (this.round.length > 0) return false
    this.begin()
    return true
  }

  /**
   * A server says to go there. False where that is not followed, or was just followed in vain: two servers that send a
   * client to and fro are asked no faster than by itself.
   */
  jump(url: string): boolean {
    if (this.jumped || !mayFollow(this.named, url)) return false
    this.jumped = true
    this.round[0] = url
    return true
  }

  /** There is no session any more: back to where the user pointed. */
  forget(): void {
    this.home = this.named
    this.others = []
    this.former = []
    this.begin()
  }

  private remember(urls: readonly string[]): void {
    this.former = [...new Set([...urls, ...this.former])].slice(0, MOST_FORMER)
  }

  private begin(): void {
    this.round = this.all()
    this.jumped = false
  }

  private all(): string[] {
    return [...new Set([this.home, this.named, ...this.others, ...this.former])]
  }
}
