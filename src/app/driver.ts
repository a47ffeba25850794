import { ACTIONS, type Action, actionCode, checkAction } from '../engine/action'
import { Controls, type Direction, type InputSource } from '../engine/controls'
import type { Telemetry } from '../engine/world'
import { keepToRoad } from '../scene/drive/lane-keeper'
import type { PhotonMeter } from './meters'

/** How long no key may be held until cruise takes over again, milliseconds. */
const HANDS_OFF_MS = 2000

/**
 * What the loop samples: the keys held by a person, with cruise. Cruise keeps to the road where the world's instruments
 * tell of one, and the throttle down while a person steers. A throttle or brake key takes the wheel from it, until every key
 * has been let go for two seconds.
 */
export class Driver implements InputSource {
  readonly controls = new Controls()
  private cruising: boolean
  /** A person took the wheel, and let go of the last key then. */
  private byHand = false
  private letGoAtMs = 0
  private scripted: Action | null = null
  private lane = keepToRoad()

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
    this.onChange(this.controls.sample(), on)
  }

  press(key: string, direction: Direction, atMs: number): void {
    if (direction === 'up' || direction === 'down') this.byHand = true
    this.change(atMs, () => this.controls.press(key, direction))
  }

  release(key: string, atMs: number): void {
    this.change(atMs, () => this.controls.release(key))
    this.letGoAtMs = this.now()
  }

  /**
   * An action that overrides the keys until `null`: the handle of scripts and agents. Throws `BadInputError` where it is none.
   */
  script(action: Action | null): void {
    if (action !== null) checkAction(action)
    this.scripted = action
  }

  /** The newest instruments, for cruise; null where they are not known. */
  see(telemetry: Telemetry | null): void {
    this.lane = keepToRoad(telemetry)
  }

  sample(): Action {
    if (this.scripted) return this.scripted
    const held = this.controls.sample()
    if (!this.cruising || held.throttle !== 0 || this.isDriven()) return held
    if (held.steer === 0) return this.lane
    return ACTIONS[actionCode({ steer: held.steer, throttle: 1 })]!
  }

  clear(): void {
    this.controls.clear()
    this.letGoAtMs = this.now()
    this.photons.drop()
    this.onChange(this.controls.sample(), this.cruising)
  }

  /** Whether a person has the wheel. */
  private isDriven(): boolean {
    if (!this.controls.holdsAny && this.now() - this.letGoAtMs >= HANDS_OFF_MS) this.byHand = false
    return this.byHand
  }

  private change(atMs: number, apply: () => void): void {
    const before = actionCode(this.controls.sample())
    apply()
    const held = this.controls.sample()
    if (actionCode(held) !== before) this.photons.input(atMs)
    this.onChange(held, this.cruising)
  }
}
