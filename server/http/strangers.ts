/** Sockets that nothing is known of yet. */
import type { Duplex } from 'node:stream'

/** So many at once, at most. */
export const MOST_STRANGERS = 128

/** The part of a socket that is used. */
export type Stranger = Pick<Duplex, 'destroy' | 'destroyed' | 'once'> & { readonly remoteAddress?: string }

/**
 * Those who connected and have not shown a key, and those who are being sent away. They have a room of their own: where it
 * is full, the oldest of the address that has most of them goes. So however many come and say nothing, whoever says hello
 * at once is heard, and those who play and come back are not touched.
 */
export class Strangers {
  /** By when they came, oldest first. */
  private readonly addresses = new Map<Stranger, string>()
  private readonly met = new WeakSet<Stranger>()

  constructor(
    private readonly onCrowded: () => void,
    private readonly most = MOST_STRANGERS,
  ) {}

  get size(): number {
    return this.addresses.size
  }

  meet(socket: Stranger): void {
    if (socket.destroyed) return
    this.addresses.set(socket, networkOf(socket.remoteAddress ?? ''))
    if (!this.met.has(socket)) {
      this.met.add(socket)
      socket.once('close', () => this.addresses.delete(socket))
    }
    if (this.addresses.size > this.most) this.sendAway(this.oldestOfMost())
  }

  /** It has shown a key. */
  know(socket: Stranger): void {
    this.addresses.delete(socket)
  }

  private sendAway(socket: Stranger): void {
    this.addresses.delete(socket)
    this.onCrowded()
    socket.destroy()
  }

  private oldestOfMost(): Stranger {
    const counts = new Map<string, number>()
    for (const address of this.addresses.values()) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const [socket, address] of this.addresses) if (counts.get(address) === most) return socket
    throw new RangeError('At least one socket was expected, but none was there.')
  }
}

/** Whoever has one IPv6 address has the 2^64 around it. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail = ''] = plain.split('%')[0]!.split('::')
  const parts = (text: string) => text.split(':').filter(Boolean)
  const missing = Math.max(0, 8 - parts(head).length - parts(tail).length)
  const all = [...parts(head), ...Array<string>(missing).fill('0'), ...parts(tail)]
  return all.slice(0, 4).join(':')
}
