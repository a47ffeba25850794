import { attachGamepads } from './app/input/gamepad'
import { attachKeyboard } from './app/input/keyboard'
import { RealtimeClock } from './engine/clock'
import { type Move, spaceOf } from './engine/controls'
import { HeldKeys } from './engine/held-keys'
import { Loop, type LoopEvent } from './engine/loop'
import type { Pixels, World } from './engine/world'

export interface PlayOptions {
  /** Takes the keys and gamepads that the world's controls name. Default false: nothing is held. */
  readonly keys?: boolean
  /** Hears every tick, and an error that ends play. */
  readonly onEvent?: (event: LoopEvent) => void
}

/** A world in play. */
export interface Playing {
  /** Pauses, steps, resets, and changes the words in mid-play. */
  readonly loop: Loop
  /** Ends play and lets go of the keys; the world stays open. Idempotent. */
  stop(): void
}

/** What some worlds have beside `World`. */
interface Extras {
  attachCanvas?(canvas: OffscreenCanvas): Promise<void>
  setMode?(mode: 'lockstep' | 'realtime'): Promise<void>
}

/**
 * Plays a world on a canvas in real time, from where it is: reset it first. Rejects with `NotReadyError` where it was not.
 *
 * @example
 * const world = await openWorld('/worlds/drive/')
 * await world.reset({ seed: 7 })
 * const playing = await play(world, document.querySelector('canvas'), { keys: true })
 */
export async function play(
  world: World & Extras,
  canvas: HTMLCanvasElement,
  { keys = false, onEvent = () => {} }: PlayOptions = {},
): Promise<Playing> {
  const first = await world.readPixels()
  if (world.info.backend === 'webgpu' && world.attachCanvas) {
    Object.assign(canvas, { width: world.info.width, height: world.info.height })
    await world.attachCanvas(canvas.transferControlToOffscreen())
  } else draw(canvas, first)

  const held = new HeldKeys()
  const loop = new Loop(world, new RealtimeClock(world.info.ticksPerSecond), held)
  let shown = canvas
  loop.listen((event) => {
    if ((event.type === 'tick' || event.type === 'begin') && event.tick.frame) {
      shown = draw(shown, event.tick.frame)
    }
    if (event.type === 'state') void world.setMode?.(event.playing ? 'realtime' : 'lockstep').catch(() => {})
    onEvent(event)
  })
  const stops = keys ? attachKeys(world, held) : []
  loop.play()
  return {
    loop,
    stop() {
      loop.pause()
      loop.close()
      for (const stop of stops.splice(0)) stop()
    },
  }
}

function attachKeys(world: World, held: HeldKeys): (() => void)[] {
  const handlers = {
    moves: () => spaceOf(world.info.controls).moves,
    press: (key: string, move: Move) => held.press(key, move),
    release: (key: string) => held.release(key),
  }
  const clear = () => held.clear()
  window.addEventListener('blur', clear)
  return [attachKeyboard(handlers), attachGamepads(handlers), () => window.removeEventListener('blur', clear)]
}

/** Draws on the canvas; on one in its place where a GPU, which is gone, had it. */
function draw(canvas: HTMLCanvasElement, { width, height, data }: Pixels): HTMLCanvasElement {
  let context: CanvasRenderingContext2D
  let target = canvas
  try {
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    context = canvas.getContext('2d')!
  } catch {
    target = canvas.cloneNode() as HTMLCanvasElement
    canvas.replaceWith(target)
    Object.assign(target, { width, height })
    context = target.getContext('2d')!
  }
  context.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0)
  return target
}
