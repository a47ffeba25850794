import { type Action, type ActionSpace, type Move, spaceOf } from '../../engine/controls'
import { type Autopilot, HeldKeys, type InputSource } from '../../engine/held-keys'
import type { Telemetry } from '../../engine/world'
import { cruiseFor } from '../../scene/drive'
import type { PhotonMeter } from '../meters'

/** How long no key may be held until cruise takes over again, milliseconds. */
const HANDS_OFF_MS = 2000

/** How the driver stands, for the page. */
export interface DriverState {
  readonly held: Action
  readonly cruise: boolean
  readonly assist: boolean
}

/**
 * What the loop samples: the keys held by a person, with cruise, where somebody knows how to play the world by itself. Some
 * keys take the wheel from it, until every key has been let go for two seconds. While hands are on, assist keeps the drive
 * whole; all of it is in the action that is sampled, and so in the log.
 */
export class Driver implements InputSource {
  private readonly keys = new HeldKeys()
  private space = spaceOf([])
  private autopilot: Autopilot | null = null
  private cruising: boolean
  private assisting: boolean
  /** A person took the wheel, and let go of the last key then. */
  private byHand = false
  private letGoAtMs = Number.NEGATIVE_INFINITY
  private scripted: Action | null = null

  constructor(
    { cruise, assist }: Pick<DriverState, 'cruise' | 'assist'>,
    private readonly photons: PhotonMeter,
    private readonly onChange: (state: DriverState) => void,
    private readonly now = () => performance.now(),
  ) {
    this.cruising = cruise
    this.assisting = assist
  }

  get cruise(): boolean {
    return this.cruising
  }

  set cruise(on: boolean) {
    this.cruising = on
    this.byHand = false
    this.tell()
  }

  get assist(): boolean {
    return this.assisting
  }

  set assist(on: boolean) {
    this.assisting = on
    this.tell()
  }

  /** A person holds a key, or let the last one go less than two seconds ago. */
  get handsOn(): boolean {
    return this.keys.holdsAny || this.now() - this.letGoAtMs < HANDS_OFF_MS
  }

  /** Once the drive has broken in a person's hands or in cruise's: the last tick at which all was well. Else null. */
  get wellBefore(): number | null {
    return this.scripted ? null : (this.autopilot?.wellBefore ?? null)
  }

  /** What the instruments read, in words; null where they are not known. */
  describe(): string | null {
    return this.autopilot?.describe() ?? null
  }

  /** Hands count as off from now on, until the next key. */
  rest(): void {
    this.byHand = false
    this.letGoAtMs = Number.NEGATIVE_INFINITY
  }

  /** Somebody knows how to play this world. */
  get hasAutopilot(): boolean {
    return this.autopilot !== null
  }

  /** Another world is driven from now on. */
  enter(space: ActionSpace): void {
    if (space === this.space) return
    this.space = space
    this.autopilot = cruiseFor(space)
    this.scripted = null
  }

  press(key: string, move: Move, atMs: number): void {
    if (this.autopilot?.yieldsTo(move)) this.byHand = true
    this.change(atMs, () => this.keys.press(key, move))
  }

  release(key: string, atMs: number): void {
    this.change(atMs, () => this.keys.release(key))
    this.letGoAtMs = this.now()
  }

  /**
   * An action that overrides the keys until `null`: the handle of scripts and agents. Throws `BadInputError` where it is none.
   */
  script(action: Action | null): void {
    if (action !== null) this.space.check(action)
    this.scripted = action
  }

  /** The newest instruments; null where they are not known. */
  see(telemetry: Telemetry | null, tick: number): void {
    this.autopilot?.see(telemetry, tick)
  }

  sample(space: ActionSpace): Action {
    this.enter(space)
    if (this.scripted) return this.scripted
    const held = this.keys.sample(space)
    if (!this.autopilot) return held
    const action = this.cruising && !this.isDriven() ? this.autopilot.act(held) : held
    return this.assisting && this.isHelped() ? this.autopilot.assist(action) : action
  }

  clear(): void {
    if (this.keys.holdsAny || this.byHand) this.letGoAtMs = this.now()
    this.keys.clear()
    this.photons.drop()
    this.tell()
  }

  private tell(): void {
    const { cruising: cruise, assisting: assist } = this
    this.onChange({ held: this.keys.sample(this.space), cruise, assist })
  }

  /** Whether a person has the wheel. */
  private isDriven(): boolean {
    if (!this.handsOn) this.byHand = false
    return this.byHand
  }

  /** Who lets go of a key for a moment is helped on; where cruise drives, nobody needs help. */
  private isHelped(): boolean {
    return this.keys.holdsAny || (this.handsOn && (this.byHand || !this.cruising))
  }

  private change(atMs: number, apply: () => void): void {
    const before = this.keys.sample(this.space)
    apply()
    if (this.keys.sample(this.space) !== before) this.photons.input(atMs)
    this.tell()
  }
}
