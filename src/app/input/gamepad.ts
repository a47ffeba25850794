import type { Direction } from '../../engine/controls'

/** Travel that counts as a press, and the smaller one at which it is let go again: worn sticks rest as far off as 0.4. */
const PRESS = 0.55
const RELEASE = 0.45
/** Travel of an input at rest, and how long it must have rested once before it counts, milliseconds. */
const REST = 0.25
const REST_MS = 150
const POLL_MS = 8

export interface PadHandlers {
  press(key: string, direction: Direction, atMs: number): void
  release(key: string, atMs: number): void
}

/** The parts of the Gamepad API that are read; standard mapping. */
export interface PadState {
  readonly index: number
  readonly axes: readonly number[]
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[]
}

/**
 * How far each direction is asked for, 0..1: left stick and d-pad steer, triggers and face buttons drive. `counts` says which
 * inputs do.
 */
export function padDirections(
  pad: PadState,
  counts: (input: string) => boolean = () => true,
): Record<Direction, number> {
  const axis = (i: number) => (counts(`axis${i}`) ? (pad.axes[i] ?? 0) : 0)
  const button = (i: number) => (counts(`button${i}`) ? (pad.buttons[i]?.value ?? 0) : 0)
  return {
    left: Math.max(-axis(0), button(14)),
    right: Math.max(axis(0), button(15)),
    up: Math.max(-axis(1), button(12), button(7), button(0)),
    down: Math.max(axis(1), button(13), button(6), button(1)),
  }
}

const DIRECTIONS: readonly Direction[] = ['left', 'right', 'up', 'down']

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
    const wanted = padDirections(pad, (input) => this.counting.has(`pad${pad.index}-${input}`))
    for (const direction of DIRECTIONS) {
      const key = `pad${pad.index}-${direction}`
      const held = this.held.has(key)
      if (!held && wanted[direction] >= PRESS) {
        this.held.add(key)
        this.handlers.press(key, direction, atMs)
      } else if (held && wanted[direction] < RELEASE) {
        this.held.delete(key)
        this.handlers.release(key, atMs)
      }
    }
  }

  /** The pad is gone: let go of what it held. */
  lost(index: number, atMs: number): void {
    for (const direction of DIRECTIONS) {
      const key = `pad${index}-${direction}`
      if (this.held.delete(key)) this.handlers.release(key, atMs)
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
