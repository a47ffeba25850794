import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { whenContextGone } from './context'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const lose = (canvas: EventTarget) => {
  const event = new Event('webglcontextlost', { cancelable: true })
  canvas.dispatchEvent(event)
  return event
}

it('waits some seconds for a lost context, and asks the browser to give it back', () => {
  const canvas = new EventTarget()
  const gone = vi.fn()
  whenContextGone(canvas, gone, 4000)
  expect(lose(canvas).defaultPrevented).toBe(true)
  vi.advanceTimersByTime(3000)
  canvas.dispatchEvent(new Event('webglcontextrestored'))
  vi.advanceTimersByTime(9000)
  expect(gone).not.toHaveBeenCalled()
  lose(canvas)
  vi.advanceTimersByTime(4000)
  expect(gone).toHaveBeenCalledTimes(1)
})

it('says nothing once it was stopped', () => {
  const canvas = new EventTarget()
  const gone = vi.fn()
  const stop = whenContextGone(canvas, gone, 4000)
  lose(canvas)
  stop()
  vi.advanceTimersByTime(9000)
  expect(gone).not.toHaveBeenCalled()
})
