/**
 * Rounds floats to the nearest binary16, ties to even, as `float16Bits` does, and leaves them floats. In whole numbers, so
 * that every GPU gives the same bits; needs no `shader-f16`.
 */
const SHADER = /* wgsl */ `
@group(0) @binding(0) var<storage, read> given: array<u32>;
@group(0) @binding(1) var<storage, read_write> rounded: array<u32>;

@compute @workgroup_size(64) fn round_float16(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&rounded)) {
    return;
  }
  let bits = given[i];
  let size = bits & 0x7fffffffu;
  // Binary16 has 13 bits less; below 2^-14 it has whole steps of 2^-24, which is one bit less for each halving.
  let lacking = select(13u, min(24u, 126u - (size >> 23u)), size < 0x38800000u);
  let unit = 1u << lacking;
  let up = (unit >> 1u) - 1u + ((size >> lacking) & 1u);
  var near = min((size + up) & ~(unit - 1u), 0x477fe000u);
  if (size < 0x33000001u) { // half of the smallest step, or less
    near = 0u;
  } else if (size < 0x33800000u) { // less than that step, and more than half of it
    near = 0x33800000u;
  } else if (size > 0x7f800000u) { // no number
    near = size;
  }
  rounded[i] = (bits & 0x80000000u) | near;
}
`

const GROUP = 64

/** Rounds one buffer of floats into another. */
export class GpuFloat16 {
  private readonly pipeline: GPUComputePipeline
  // One bind group per buffer: with a captured graph that is one for ever.
  private bound: { from: GPUBuffer; group: GPUBindGroup } | null = null

  /** `to` holds `count` floats, or a few more that nobody reads. */
  constructor(
    private readonly device: GPUDevice,
    private readonly to: GPUBuffer,
    private readonly count: number,
  ) {
    const module = device.createShaderModule({ label: 'float16', code: SHADER })
    this.pipeline = device.createComputePipeline({ label: 'float16', layout: 'auto', compute: { module } })
  }

  encode(encoder: GPUCommandEncoder, from: GPUBuffer): void {
    const pass = encoder.beginComputePass({ label: 'float16' })
    pass.setPipeline(this.pipeline)
    pass.setBindGroup(0, this.bindGroup(from))
    pass.dispatchWorkgroups(Math.ceil(this.count / GROUP))
    pass.end()
  }

  private bindGroup(from: GPUBuffer): GPUBindGroup {
    if (this.bound?.from !== from) {
      const size = this.count * 4
      const layout = this.pipeline.getBindGroupLayout(0)
      const entries = [from, this.to].map((buffer, binding) => ({ binding, resource: { buffer, size } }))
      this.bound = { from, group: this.device.createBindGroup({ layout, entries }) }
    }
    return this.bound.group
  }
}
