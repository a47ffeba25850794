import type { Move } from '../../engine/controls'

/** Travel that counts as a press, and the smaller one at which it is let go again: worn sticks rest as far off as 0.4. */
const PRESS = 0.55
const RELEASE = 0.45
/** Travel of an input at rest, and how long it must have rested once before it counts, milliseconds. */
const REST = 0.25
const REST_MS = 150
const POLL_MS = 8

export interface PadHandlers {
  /** Of the world that is driven. */
  moves(): readonly Move[]
  press(key: string, move: Move, atMs: number): void
  release(key: string, atMs: number): void
}

/** The parts of the Gamepad API that are read; standard mapping. */
export interface PadState {
  readonly index: number
  readonly axes: readonly number[]
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[]
}

/** How far a move is asked for, 0..1, by the inputs that its world names (`button0`, `axis0-`). `counts` says which do. */
function travel({ pad: inputs }: Move, pad: PadState, counts: (input: string) => boolean): number {
  let most = 0
  for (const input of inputs) {
    const [, kind, index, way] = /^(axis|button)(\d+)([+-]?)$/.exec(input)!
    if (!counts(`${kind}${index}`)) continue
    const value = kind === 'axis' ? (pad.axes[Number(index)] ?? 0) : (pad.buttons[Number(index)]?.value ?? 0)
    most = Math.max(most, way === '-' ? -value : value)
  }
  return most
}

/**
 * Turns pad states into presses and releases, with hysteresis so that a trembling stick does not chatter. An input counts
 * once it has been seen at rest: of a pad without the standard mapping, an axis may be a trigger that rests at -1.
 */
export class PadReader {
  private readonly held = new Set<string>()
  /** Since when an input that does not count yet has been at rest. */
  private readonly resting = new Map<string, number>()
  private readonly counting = new Set<string>()
  constructor(private readonly handlers: PadHandlers) {}

  read(pad: PadState, atMs: number): void {
    for (const [i, value] of pad.axes.entries()) this.see(`pad${pad.index}-axis${i}`, value, atMs)
    for (const [i, { value }] of pad.buttons.entries()) this.see(`pad${pad.index}-button${i}`, value, atMs)
    const counts = (input: string) => this.counting.has(`pad${pad.index}-${input}`)
    for (const move of this.handlers.moves()) {
      const key = `pad${pad.index}-${move.id}`
      const held = this.held.has(key)
      const wanted = travel(move, pad, counts)
      if (!held && wanted >= PRESS) {
        this.held.add(key)
        this.handlers.press(key, move, atMs)
      } else if (held && wanted < RELEASE) {
        this.held.delete(key)
        this.handlers.release(key, atMs)
      }
    }
  }

  /** The pad is gone: let go of what it held. */
  lost(index: number, atMs: number): void {
    for (const key of [...this.held]) {
      if (!key.startsWith(`pad${index}-`)) continue
      this.held.delete(key)
      this.handlers.release(key, atMs)
    }
    // The next pad in its place is another one.
    for (const input of [...this.counting]) if (input.startsWith(`pad${index}-`)) this.counting.delete(input)
    for (const input of [...this.resting.keys()]) {
      if (input.startsWith(`pad${index}-`)) this.resting.delete(input)
    }
  }

  private see(input: string, value: number, atMs: number): void {
    if (this.counting.has(input)) return
    if (Math.abs(value) > REST) {
      this.resting.delete(input)
      return
    }
    const since = this.resting.get(input)
    if (since === undefined) this.resting.set(input, atMs)
    else if (atMs - since >= REST_MS) this.counting.add(input)
  }
}

/** Polls gamepads while at least one is connected (the Gamepad API has no events for input). Returns how to stop. */
export function attachGamepads(handlers: PadHandlers): () => void {
  const reader = new PadReader(handlers)
  let timer: ReturnType<typeof setInterval> | null = null
  const poll = () => {
    const now = performance.now()
    let any = false
    for (const pad of navigator.getGamepads()) {
      if (!pad) continue
      any = true
      reader.read(pad, now)
    }
    if (!any && timer !== null) {
      clearInterval(timer)
      timer = null
    }
  }
  const connected = () => {
    timer ??= setInterval(poll, POLL_MS)
  }
  const disconnected = (event: GamepadEvent) => reader.lost(event.gamepad.index, performance.now())
  // One that was there before the page was ready is told of no more.
  if (navigator.getGamepads().some(Boolean)) connected()
  window.addEventListener('gamepadconnected', connected)
  window.addEventListener('gamepaddisconnected', disconnected)
  return () => {
    if (timer !== null) clearInterval(timer)
    window.removeEventListener('gamepadconnected', connected)
    window.removeEventListener('gamepaddisconnected', disconnected)
  }
}
