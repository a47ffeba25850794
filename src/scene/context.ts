/** How long a browser may take to give a lost WebGL context back. */
export const BACK_WITHIN_MS = 4000

/**
 * Calls `gone` where a canvas loses its WebGL context and does not get it back in time: a browser takes it when the driver
 * is reset or the memory short, and need not return it. Returns how to stop.
 */
export function whenContextGone(
  canvas: EventTarget,
  gone: () => void,
  withinMs = BACK_WITHIN_MS,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const lost = (event: Event) => {
    // Without this the browser never gives it back.
    event.preventDefault()
    clearTimeout(timer)
    timer = setTimeout(gone, withinMs)
  }
  const back = () => clearTimeout(timer)
  canvas.addEventListener('webglcontextlost', lost)
  canvas.addEventListener('webglcontextrestored', back)
  return () => {
    clearTimeout(timer)
    canvas.removeEventListener('webglcontextlost', lost)
    canvas.removeEventListener('webglcontextrestored', back)
  }
}
