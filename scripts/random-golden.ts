/** Writes src/engine/random.golden.json, which vitest and pytest both test against: `npx tsx scripts/random-golden.ts`. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { normals, philox, uniforms } from '../src/engine/random'

const MAX = 0xffffffff
const blocks: [[number, number], [number, number, number, number]][] = [
  [
    [0, 0],
    [0, 0, 0, 0],
  ],
  [
    [MAX, MAX],
    [MAX, MAX, MAX, MAX],
  ],
  [
    [0xa4093822, 0x299f31d0],
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
  ],
  [
    [1, 0],
    [0, 1, 2, 0],
  ],
]
const places = [
  { seed: 0, tick: 0, stream: 0, count: 8 },
  { seed: 1, tick: 1, stream: 0, count: 16 },
  { seed: 1, tick: 1, stream: 1, count: 16 },
  { seed: 1_000_000, tick: 10_000, stream: 0, count: 7 },
  { seed: Number.MAX_SAFE_INTEGER, tick: MAX, stream: 16, count: 12 },
]

function draw(fill: typeof normals) {
  return places.map(({ seed, tick, stream, count }) => {
    const out = new Float32Array(count)
    fill(seed, tick, stream, out)
    return { seed, tick, stream, values: Array.from(out) }
  })
}

const many = new Float32Array(0x1_0000)
normals(7, 1, 0, many)

const golden = {
  philox: blocks.map(([key, counter]) => ({ key, counter, words: Array.from(philox(key, counter)) })),
  uniforms: draw(uniforms),
  normals: draw(normals),
  normalsDigest: createHash('sha256').update(many).digest('hex'),
}
const path = new URL('../src/engine/random.golden.json', import.meta.url)
writeFileSync(path, `${JSON.stringify(golden, null, 1)}\n`)
