import type { Fit } from './backend'

/**
 * Draws a frame buffer [H,W,4] of floats on a canvas of any size. The frame is a few thousand pixels on a window of
 * millions, so how it is enlarged is how it looks: as on the page's stage (`scene/stage/shader.ts`), along its edges, after
 * the idea of FSR 1 EASU (AMD, 2021).
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

fn texel(p: vec2i) -> vec3f {
  let size = vec2i(view.frame);
  let q = clamp(p, vec2i(0), size - 1);
  return clamp(frame[q.y * size.x + q.x].rgb, vec3f(0.0), vec3f(1.0));
}

fn upscale(at: vec2f) -> vec3f {
  let base = vec2i(floor(at)) - 1;
  let f = fract(at);
  var c: array<vec3f, 16>;
  var l: array<f32, 16>;
  for (var i = 0; i < 16; i++) {
    c[i] = texel(base + vec2i(i & 3, i >> 2));
    l[i] = dot(c[i], vec3f(0.3, 0.59, 0.11));
  }
  // Structure tensor: central differences at the four nearest texels, weighted bilinearly.
  var wx = array<f32, 4>(0.0, 1.0 - f.x, f.x, 0.0);
  var wy = array<f32, 4>(0.0, 1.0 - f.y, f.y, 0.0);
  var tensor = vec3f(0.0);
  for (var j = 1; j < 3; j++) {
    for (var i = 1; i < 3; i++) {
      let k = j * 4 + i;
      let g = vec2f(l[k + 1] - l[k - 1], l[k + 4] - l[k - 4]);
      tensor += wx[i] * wy[j] * vec3f(g.x * g.x, g.x * g.y, g.y * g.y);
    }
  }
  let trace = tensor.x + tensor.z;
  let spread = sqrt((tensor.x - tensor.z) * (tensor.x - tensor.z) + 4.0 * tensor.y * tensor.y);
  let coherence = select(0.0, spread / trace, trace > 1e-7);
  // WGSL leaves atan2(0, 0) open; a flat place has no direction, and needs none.
  let angle = select(0.0, 0.5 * atan2(2.0 * tensor.y, tensor.x - tensor.z), spread > 1e-7);
  let across = vec2f(cos(angle), sin(angle));
  let edge = coherence * smoothstep(0.0004, 0.02, trace);
  let along = 1.0 - 0.48 * edge;
  let narrow = 1.0 + 0.28 * edge;
  let lobe = 0.5 - 0.29 * edge;
  var sum = vec3f(0.0);
  var total = 0.0;
  for (var k = 0; k < 16; k++) {
    let d = vec2f(f32((k & 3) - 1), f32((k >> 2) - 1)) - f;
    let r = vec2f(dot(d, across) * narrow, dot(d, vec2f(-across.y, across.x)) * along);
    let d2 = min(dot(r, r), 1.0 / lobe);
    let a = 0.4 * d2 - 1.0;
    let b = lobe * d2 - 1.0;
    let w = (1.5625 * a * a - 0.5625) * b * b;
    sum += c[k] * w;
    total += w;
  }
  // Against ringing: the range of each inner texel and its four neighbours, blended so that the bound has no steps.
  var lo = vec3f(0.0);
  var hi = vec3f(0.0);
  for (var j = 1; j < 3; j++) {
    for (var i = 1; i < 3; i++) {
      let k = j * 4 + i;
      let w = wx[i] * wy[j];
      lo += w * min(c[k], min(min(c[k - 1], c[k + 1]), min(c[k - 4], c[k + 4])));
      hi += w * max(c[k], max(max(c[k - 1], c[k + 1]), max(c[k - 4], c[k + 4])));
    }
  }
  return clamp(sum / total, lo, hi);
}

@fragment fn pixel(@builtin(position) at: vec4f) -> @location(0) vec4f {
  let p = (at.xy - view.offset) * view.scale;
  if (any(p < vec2f(0.0)) || any(p >= view.frame)) {
    return vec4f(0.0, 0.0, 0.0, 1.0);
  }
  return vec4f(upscale(p - 0.5), 1.0);
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
