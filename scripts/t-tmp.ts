import { openDreamNode } from '../src/model/node'
import { Timeline } from '../src/engine/timeline'
import { replay } from '../src/engine/replay'
import { hashPixels } from '../src/engine/frame-hash'
import { spaceOf } from '../src/engine/controls'
import { packMoment, unpackMoment } from '../src/app/share/moment'
const w = await openDreamNode('assets/drive')
const t = new Timeline(w, { every: 10, capacity: 240, maxBytes: 23e6 })
await t.reset({ seed: 19, prompt: 'a snowy road at sunset' })
const act = (i: number) => ({ steer: [0, 1, -1, 0, 1][(i / 7 | 0) % 5]!, throttle: 1 })
let s = Date.now(); const sum: Record<string, number> = {}
for (let i = 1; i <= 900; i++) {
  if (i === 400) await t.setPrompt('a snowy night drive')
  const tick = await t.step(act(i)); for (const [k, v] of Object.entries(tick.timings)) sum[k] = (sum[k] ?? 0) + v / 900
}
console.log('play 900', Date.now() - s, sum, 'bytes', t.kept.reduce((a, x) => a + Object.values(x.state).reduce((b, y) => b + y.byteLength, 0), 0), t.kept.length)
const text = await packMoment(t.log()); console.log('link chars', text.length)
for (let i = 901; i <= 1000; i++) await t.step(act(i))
const h = hashPixels(await t.readPixels())
const log = await unpackMoment(text, w.info.controls)
s = Date.now()
const r = await replay(log, w); console.log('replay 900', Date.now() - s, r)
for (let i = 901; i <= 1000; i++) await w.step(act(i))
console.log('same at 1000:', hashPixels(await w.readPixels()) === h, h)
await w.close()
