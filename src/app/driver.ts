import { ACTIONS, type Action, actionCode } from '../engine/action'
import { Controls, type Direction, type InputSource } from '../engine/controls'
import type { Telemetry } from '../engine/world'
import { keepToRoad } from '../scene/drive/lane-keeper'
import type { PhotonMeter } from './meters'

/**
 * What the loop samples: the keys held by a person, with cruise. Cruise keeps to the road where the world's instruments
 * tell of one, and the throttle down while a person steers; it ends with the first throttle or brake key.
 */
export class Driver implements InputSource {
  readonly controls = new Controls()
  private cruising: boolean
  private scripted: Action | null = null
  private lane = keepToRoad()

  constructor(
    cruise: boolean,
    private readonly photons: PhotonMeter,
    private readonly onChange: (held: Action, cruise: boolean) => void,
  ) {
    this.cruising = cruise
  }

  get cruise(): boolean {
    return this.cruising
  }

  set cruise(on: boolean) {
    this.cruising = on
    this.onChange(this.controls.sample(), on)
  }

  press(key: string, direction: Direction, atMs: number): void {
    if (direction === 'up' || direction === 'down') this.cruising = false
    this.change(atMs, () => this.controls.press(key, direction))
  }

  release(key: string, atMs: number): void {
    this.change(atMs, () => this.controls.release(key))
  }

  /** An action that overrides the keys until `null`: the handle of scripts and agents. */
  script(action: Action | null): void {
    this.scripted = action
  }

  /** The newest instruments, for cruise; null where they are not known. */
  see(telemetry: Telemetry | null): void {
    this.lane = keepToRoad(telemetry)
  }

  sample(): Action {
    if (this.scripted) return this.scripted
    const held = this.controls.sample()
    if (!this.cruising || held.throttle !== 0) return held
    if (held.steer === 0) return this.lane
    return ACTIONS[actionCode({ steer: held.steer, throttle: 1 })]!
  }

  clear(): void {
    this.controls.clear()
    this.photons.drop()
    this.onChange(this.controls.sample(), this.cruising)
  }

  private change(atMs: number, apply: () => void): void {
    const before = actionCode(this.controls.sample())
    apply()
    const held = this.controls.sample()
    if (actionCode(held) !== before) this.photons.input(atMs)
    this.onChange(held, this.cruising)
  }
}
