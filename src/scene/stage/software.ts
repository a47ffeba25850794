const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i

/** True where a GL context is drawn by the processor. */
export function isSoftware(gl: WebGLRenderingContext | WebGL2RenderingContext): boolean {
  const info = gl.getExtension('WEBGL_debug_renderer_info')
  return SOFTWARE.test(String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)))
}

/** True where WebGL would be drawn by the processor, or is not to be had at all. Makes a context and gives it back. */
export function lacksGpu(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2')
  if (!gl) return true
  const software = isSoftware(gl)
  gl.getExtension('WEBGL_lose_context')?.loseContext()
  return software
}
