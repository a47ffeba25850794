import type { RefusalCode } from '../../src/net/protocol/errors'
import type { ClientMessage, FrameFormat, ServerMessage } from '../../src/net/protocol/messages'
import { encodeServer } from '../../src/net/protocol/wire'
import type { Picture } from '../engine/engine'
import type { Meters } from '../monitoring/meters'
import type { Channel, Peer } from './connection'
import { Frames, type Making } from './frames'

export interface SpectatorOptions {
  /** The session that is watched. */
  readonly id: string
  readonly line: Channel
  readonly format: FrameFormat
  readonly meters: Meters
  readonly onGone: (spectator: Spectator) => void
}

/** One who watches a session: gets its frames as its player does, and can do nothing to it. */
export class Spectator implements Peer {
  private readonly frames: Frames
  private epoch = 0
  private tick = -1

  constructor(private readonly options: SpectatorOptions) {
    this.frames = new Frames(options.meters)
  }

  get id(): string {
    return this.options.id
  }

  get format(): FrameFormat {
    return this.options.format
  }

  mayCome(type: ClientMessage['type']): boolean {
    return type === 'ack' || type === 'heartbeat' || type === 'bye'
  }

  handle(message: ClientMessage): void {
    if (message.type === 'ack') this.frames.acknowledge(message.sequence)
    else if (message.type === 'heartbeat') {
      this.send({ type: 'pong', echoMs: message.sentAtMs })
    } else this.end(null)
  }

  send(message: ServerMessage): void {
    this.options.line.send(encodeServer(message))
  }

  /** False, and counted, where the next picture would not be sent. */
  hasRoom(): boolean {
    return this.frames.hasRoom()
  }

  /** Pictures that were overtaken on their way here are left out, and what there is no room for any more. */
  show(picture: Picture, making: Making): void {
    const { epoch, tick } = picture
    if (this.frames.full) return
    if (epoch < this.epoch || (epoch === this.epoch && tick <= this.tick)) return
    this.epoch = epoch
    this.tick = tick
    this.options.line.send(this.frames.encode(0, picture, 0, making))
  }

  detach(): void {
    this.options.onGone(this)
  }

  end(code: RefusalCode | null): void {
    this.options.line.close(code)
  }
}
