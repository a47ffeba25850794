import type { Fit } from './backend'

/**
 * Draws a frame buffer [H,W,4] of floats on a canvas of any size. The frame is a few thousand pixels on a window of
 * millions, so how it is enlarged is how it looks: Mitchell and Netravali's bicubic filter ("Reconstruction Filters in
 * Computer Graphics", SIGGRAPH 1988; B = C = 1/3) is smooth without the squares of nearest or the stars of bilinear.
 */
const SHADER = /* wgsl */ `
struct View {
  frame: vec2f,   // size of the frame, frame pixels
  offset: vec2f,  // the frame's top left on the canvas, canvas pixels
  scale: vec2f,   // frame pixels per canvas pixel
}
@group(0) @binding(0) var<storage, read> frame: array<vec4f>;
@group(0) @binding(1) var<uniform> view: View;

@vertex fn corners(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  // One triangle that covers the canvas.
  return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

fn weights(f: f32) -> vec4f {
  // Mitchell at distances 1+f, f, 1-f, 2-f.
  let near = vec2f(f, 1.0 - f);
  let inner = (7.0 * near * near * near - 12.0 * near * near) / 6.0 + 8.0 / 9.0;
  let d = 1.0 + vec2f(f, 1.0 - f);
  let outer = (-7.0 / 18.0) * d * d * d + 2.0 * d * d - (10.0 / 3.0) * d + 16.0 / 9.0;
  return vec4f(outer.x, inner.x, inner.y, outer.y);
}

@fragment fn pixel(@builtin(position) at: vec4f) -> @location(0) vec4f {
  let p = (at.xy - view.offset) * view.scale;
  if (any(p < vec2f(0.0)) || any(p >= view.frame)) {
    return vec4f(0.0, 0.0, 0.0, 1.0);
  }
  let base = floor(p - 0.5);
  let wx = weights(p.x - 0.5 - base.x);
  let wy = weights(p.y - 0.5 - base.y);
  let last = vec2i(view.frame) - 1;
  var sum = vec3f(0.0);
  for (var j = 0; j < 4; j++) {
    let y = clamp(i32(base.y) + j - 1, 0, last.y);
    var row = vec3f(0.0);
    for (var i = 0; i < 4; i++) {
      let x = clamp(i32(base.x) + i - 1, 0, last.x);
      row += wx[i] * frame[y * (last.x + 1) + x].rgb;
    }
    sum += wy[j] * row;
  }
  return vec4f(clamp(sum, vec3f(0.0), vec3f(1.0)), 1.0);
}
`

export interface ScreenSize {
  readonly width: number
  readonly height: number
}

/** Where a frame lies on a canvas: its top left in canvas pixels, and frame pixels per canvas pixel. */
export function placeFrame(frame: ScreenSize, canvas: ScreenSize, fit: Fit) {
  const x = frame.width / canvas.width
  const y = frame.height / canvas.height
  const both = fit === 'cover' ? Math.min(x, y) : Math.max(x, y)
  const scale = fit === 'stretch' ? ([x, y] as const) : ([both, both] as const)
  const offset = [
    (canvas.width - frame.width / scale[0]) / 2,
    (canvas.height - frame.height / scale[1]) / 2,
  ] as const
  return { offset, scale }
}

/** A canvas on a device. It is lost with the device; a new one takes the same canvas. */
export class GpuScreen {
  private readonly context: GPUCanvasContext
  private readonly pipeline: GPURenderPipeline
  private readonly view: GPUBuffer
  // One bind group per frame buffer: with a captured graph that is one for ever.
  private bound: { buffer: GPUBuffer; group: GPUBindGroup } | null = null

  constructor(
    private readonly device: GPUDevice,
    private readonly canvas: OffscreenCanvas,
    private readonly frame: ScreenSize,
  ) {
    const format = navigator.gpu.getPreferredCanvasFormat()
    this.context = canvas.getContext('webgpu')!
    this.context.configure({ device, format, alphaMode: 'opaque' })
    const module = device.createShaderModule({ label: 'screen', code: SHADER })
    this.pipeline = device.createRenderPipeline({
      label: 'screen',
      layout: 'auto',
      vertex: { module },
      fragment: { module, targets: [{ format }] },
    })
    this.view = device.createBuffer({
      label: 'screen view',
      size: 24,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    })
    this.place('cover')
  }

  resize(width: number, height: number, fit: Fit): void {
    // Setting a size clears a canvas, even the same one.
    if (this.canvas.width !== width) this.canvas.width = width
    if (this.canvas.height !== height) this.canvas.height = height
    this.place(fit)
  }

  draw(buffer: GPUBuffer): void {
    const encoder = this.device.createCommandEncoder({ label: 'screen' })
    const pass = encoder.beginRenderPass({
      colorAttachments: [
        { view: this.context.getCurrentTexture().createView(), loadOp: 'clear', storeOp: 'store' },
      ],
    })
    pass.setPipeline(this.pipeline)
    pass.setBindGroup(0, this.bindGroup(buffer))
    pass.draw(3)
    pass.end()
    this.device.queue.submit([encoder.finish()])
  }

  dispose(): void {
    this.context.unconfigure()
    this.view.destroy()
  }

  private bindGroup(buffer: GPUBuffer): GPUBindGroup {
    if (this.bound?.buffer !== buffer) {
      const layout = this.pipeline.getBindGroupLayout(0)
      const entries = [buffer, this.view].map((buffer, binding) => ({ binding, resource: { buffer } }))
      this.bound = { buffer, group: this.device.createBindGroup({ layout, entries }) }
    }
    return this.bound.group
  }

  private place(fit: Fit): void {
    const { offset, scale } = placeFrame(this.frame, this.canvas, fit)
    const view = Float32Array.of(this.frame.width, this.frame.height, ...offset, ...scale)
    this.device.queue.writeBuffer(this.view, 0, view)
  }
}
