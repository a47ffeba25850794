import type { ClientMessage, ServerMessage, Welcome } from '../protocol/messages'
import { Link, type LinkOptions } from './link'

/** Connections beside the first. */
const SUBFLOWS = 2
/** A frame that comes so long after the one before, with the next right behind it, waited for a packet to come again. */
const LATE_MS = 120
const BEHIND_MS = 20
/** Longer silences are pauses of play. */
const PAUSE_MS = 2_000
/** So many of these, each so soon after the last, are a link that loses packets. */
const LOSSES = 2
const SOON_MS = 20_000

/**
 * A link, and where packets get lost two more connections to the same session, as in multipath TCP. A connection hands
 * nothing over until a lost packet has come again, a round trip at least; so frames, actions and acknowledgements go over
 * all of them, and whichever comes first counts. Requests and answers keep to the first.
 */
export class Multipath {
  private readonly link: Link
  private subflows: Link[] = []
  private key: string | null = null
  /** Of the newest frame that came on any connection. */
  private newest = 0
  private lastAtMs: number | null = null
  private waitedMs = 0
  private losses = 0
  private lostAtMs = 0

  constructor(private readonly options: LinkOptions) {
    this.link = new Link({
      ...options,
      onWelcome: (welcome) => {
        this.begin(welcome)
        options.onWelcome(welcome)
      },
      onMessage: (message) => this.receive(message),
      onDown: () => {
        this.closeSubflows()
        options.onDown()
      },
      onFailed: (error) => {
        this.closeSubflows()
        options.onFailed(error)
      },
    })
  }

  get up(): boolean {
    return this.link.up
  }

  get roundTripMs(): number {
    return this.link.roundTripMs
  }

  /** Connections that are up. */
  get connections(): number {
    return [this.link, ...this.subflows].filter((link) => link.up).length
  }

  run(): Promise<void> {
    return this.link.run()
  }

  /** As `Link.send`; what the newest replaces goes over every connection. */
  send(message: ClientMessage): boolean {
    const sent = this.link.send(message)
    if (message.type === 'action' || message.type === 'ack') {
      for (const subflow of this.subflows) subflow.send(message)
    }
    return sent
  }

  close(): void {
    this.closeSubflows()
    this.link.close()
  }

  private begin(welcome: Welcome): void {
    this.closeSubflows()
    this.key = welcome.subflow ?? null
    this.newest = 0
    this.lastAtMs = null
    if (this.losses >= LOSSES) this.openSubflows()
  }

  private receive(message: ServerMessage): void {
    if (message.type === 'frame') {
      if (message.request === 0) {
        // It came by another way already, or was overtaken.
        if (message.sequence <= this.newest) return
        this.observe(this.options.time.now())
      }
      this.newest = Math.max(this.newest, message.sequence)
    }
    this.options.onMessage(message)
  }

  private observe(nowMs: number): void {
    const gapMs = this.lastAtMs === null ? 0 : nowMs - this.lastAtMs
    this.lastAtMs = nowMs
    const came = this.waitedMs >= LATE_MS && this.waitedMs < PAUSE_MS && gapMs < BEHIND_MS
    this.waitedMs = gapMs
    if (!came) return
    this.losses = nowMs - this.lostAtMs < SOON_MS ? this.losses + 1 : 1
    this.lostAtMs = nowMs
    if (this.losses >= LOSSES) this.openSubflows()
  }

  private openSubflows(): void {
    const { key, link } = this
    if (key === null || !link.up) return
    while (this.subflows.length < SUBFLOWS) this.subflows.push(this.subflow(key, link.address))
  }

  private subflow(key: string, url: string): Link {
    const { options } = this
    const subflow: Link = new Link({
      ...options,
      url,
      hello: () => {
        const { formats, mode } = options.hello()
        return { formats, mode, subflow: key }
      },
      onWelcome: () => {},
      onMessage: (message) => this.heard(message),
      onWaiting: () => {},
      onBeat: () => {},
      onDown: () => {},
      onGone: () => false,
      // Play goes on over the others; another is opened at the next loss.
      onFailed: () => {
        this.subflows = this.subflows.filter((one) => one !== subflow)
      },
    })
    void subflow.run()
    return subflow
  }

  private heard(message: ServerMessage): void {
    if (message.type === 'frame' && message.request === 0) this.receive(message)
  }

  private closeSubflows(): void {
    for (const subflow of this.subflows.splice(0)) subflow.close()
  }
}
