import { type Action, type ActionSpace, type Move, spaceOf } from '../engine/controls'
import { type Autopilot, HeldKeys, type InputSource } from '../engine/held-keys'
import type { Telemetry } from '../engine/world'
import { cruiseFor } from '../scene/drive'
import type { PhotonMeter } from './meters'

/** How long no key may be held until cruise takes over again, milliseconds. */
const HANDS_OFF_MS = 2000

/**
 * What the loop samples: the keys held by a person, with cruise, where somebody knows how to play the world by itself. Some
 * keys take the wheel from it, until every key has been let go for two seconds.
 */
export class Driver implements InputSource {
  private readonly keys = new HeldKeys()
  private space = spaceOf([])
  private autopilot: Autopilot | null = null
  private cruising: boolean
  /** A person took the wheel, and let go of the last key then. */
  private byHand = false
  private letGoAtMs = 0
  private scripted: Action | null = null

  constructor(
    cruise: boolean,
    private readonly photons: PhotonMeter,
    private readonly onChange: (held: Action, cruise: boolean) => void,
    private readonly now = () => performance.now(),
  ) {
    this.cruising = cruise
  }

  get cruise(): boolean {
    return this.cruising
  }

  set cruise(on: boolean) {
    this.cruising = on
    this.byHand = false
    this.tell()
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

  /** The newest instruments, for cruise; null where they are not known. */
  see(telemetry: Telemetry | null): void {
    this.autopilot?.see(telemetry)
  }

  sample(space: ActionSpace): Action {
    this.enter(space)
    if (this.scripted) return this.scripted
    const held = this.keys.sample(space)
    if (!this.cruising || !this.autopilot || this.isDriven()) return held
    return this.autopilot.act(held)
  }

  clear(): void {
    this.keys.clear()
    this.letGoAtMs = this.now()
    this.photons.drop()
    this.tell()
  }

  private tell(): void {
    this.onChange(this.keys.sample(this.space), this.cruising)
  }

  /** Whether a person has the wheel. */
  private isDriven(): boolean {
    if (!this.keys.holdsAny && this.now() - this.letGoAtMs >= HANDS_OFF_MS) this.byHand = false
    return this.byHand
  }

  private change(atMs: number, apply: () => void): void {
    const before = this.keys.sample(this.space)
    apply()
    if (this.keys.sample(this.space) !== before) this.photons.input(atMs)
    this.tell()
  }
}
