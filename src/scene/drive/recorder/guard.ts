/** Refuses an episode whose frames were drawn without a WebGL context: they would all be the same, and wrong. */
export function checkDrawn(gl: Pick<WebGL2RenderingContext, 'isContextLost'> | null, seed: number): void {
  if (!gl?.isContextLost()) return
  throw new Error(
    `The browser took the graphics away while episode ${seed} was drawn, so its frames are no pictures and it was not saved. Run the command again: it goes on where it stopped.`,
  )
}
