import type { Direction } from '../../engine/controls'

/** Stick travel that counts as a press, and the smaller travel at which it is let go again. */
const PRESS = 0.4
const RELEASE = 0.25
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

/** How far each direction is asked for, 0..1: left stick and d-pad steer, triggers and face buttons drive. */
export function padDirections(pad: PadState): Record<Direction, number> {
  const axis = (i: number) => pad.axes[i] ?? 0
  const button = (i: number) => pad.buttons[i]?.value ?? 0
  return {
    left: Math.max(-axis(0), button(14)),
    right: Math.max(axis(0), button(15)),
    up: Math.max(-axis(1), button(12), button(7), button(0)),
    down: Math.max(axis(1), button(13), button(6), button(1)),
  }
}

const DIRECTIONS: readonly Direction[] = ['left', 'right', 'up', 'down']

/** Turns pad states into presses and releases, with hysteresis so that a trembling stick does not chatter. */
export class PadReader {
  private readonly held = new Set<string>()
  constructor(private readonly handlers: PadHandlers) {}

  read(pad: PadState, atMs: number): void {
    const wanted = padDirections(pad)
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
  window.addEventListener('gamepadconnected', connected)
  window.addEventListener('gamepaddisconnected', disconnected)
  return () => {
    if (timer !== null) clearInterval(timer)
    window.removeEventListener('gamepadconnected', connected)
    window.removeEventListener('gamepaddisconnected', disconnected)
  }
}
