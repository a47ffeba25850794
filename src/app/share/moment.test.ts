import { describe, expect, it } from 'vitest'
import type { ActionLog } from '../../engine/action-log'
import { type Action, spaceOf } from '../../engine/controls'
import { hashPixels } from '../../engine/frame-hash'
import { Rng } from '../../engine/random'
import { replay } from '../../engine/replay'
import { ACTIONS, FAKE_CONTROLS, FakeWorld } from '../../engine/testing/fake-world'
import { Timeline } from '../../engine/timeline'
import { openDreamNode } from '../../model/node'
import { TINY } from '../../model/testing'
import { beginningIn, packMoment, unpackMoment } from './moment'

/** Actions as somebody who mashes keys makes them. */
function mashed(actions: readonly Action[], ticks: number): Action[] {
  const rng = new Rng(5, 90)
  const made: Action[] = []
  while (made.length < ticks) {
    const action = rng.pick(actions)
    for (let i = rng.int(5, 25); i > 0 && made.length < ticks; i--) made.push(action)
  }
  return made
}

async function driven(ticks: number) {
  const world = new Timeline(new FakeWorld())
  await world.reset({ seed: 7, prompt: { text: 'fog', embedding: Float32Array.of(0.25, 1 / 3) } })
  for (const [i, action] of mashed(ACTIONS, ticks).entries()) {
    if (i === 40) await world.setPrompt('rain at night, "quoted" – and é')
    await world.step(action)
  }
  return world
}

describe('a link to a moment', () => {
  it('holds the whole drive, and is short enough to be sent', async () => {
    const log = (await driven(900)).log()
    const text = await packMoment(log)
    expect(text).toMatch(/^[\w-]+$/)
    expect(text.length).toBeLessThan(1200)
    const back = await unpackMoment(text, FAKE_CONTROLS)
    expect(back).toEqual({ ...log, hashes: [...log.actions.map(() => null), log.hashes.at(-1)] })
    expect(await beginningIn(text)).toEqual({ seed: 7, prompt: 'fog' })
    expect((await replay(back, new FakeWorld())).divergence).toBeNull()
  })

  it.each<[string, (text: string) => string]>([
    ['cut off', (text) => text.slice(0, -20)],
    ['no link', () => 'hello'],
    ['empty', () => ''],
    ['no base64', () => '%%%'],
    ['of other letters', (text) => `A${text.slice(1)}`],
  ])('that is damaged says so: %s', async (_, damage) => {
    const text = damage(await packMoment((await driven(60)).log()))
    await expect(unpackMoment(text, FAKE_CONTROLS)).rejects.toThrow(/link to this moment is damaged/)
    expect(await beginningIn(text)).toBeNull()
  })

  it('unpacks no bomb', async () => {
    const bomb = new Blob([new Uint8Array(8_000_000)])
      .stream()
      .pipeThrough(new CompressionStream('deflate-raw'))
    const text = Buffer.from(await new Response(bomb).arrayBuffer()).toString('base64url')
    await expect(unpackMoment(text, FAKE_CONTROLS)).rejects.toThrow(/damaged/)
    const log = (await driven(1)).log()
    // One key that is held for ever, and two in turns.
    for (const keys of [1, 2]) {
      const actions = Array.from({ length: 100_001 }, (_, i) => i % keys)
      const huge: ActionLog = { ...log, actions, hashes: Array(100_002).fill(null) }
      await expect(unpackMoment(await packMoment(huge), FAKE_CONTROLS)).rejects.toThrow(/damaged/)
    }
  })

  it('is refused where the drive began from a snapshot, with a way out', async () => {
    const world = await driven(20)
    await world.restore(await world.snapshot())
    await expect(packMoment(world.log())).rejects.toThrow(/Save the drive as a file \(L\)/)
  })

  it('goes on in Node from tick 900 to the same frame at tick 1,000', async () => {
    const first = new Timeline(await openDreamNode(TINY, { threads: 1 }))
    const space = spaceOf(first.info.controls)
    const actions = mashed(
      Array.from({ length: space.size }, (_, code) => space.action(code)),
      1000,
    )
    await first.reset({ seed: 7 })
    for (const action of actions.slice(0, 900)) await first.step(action)
    const text = await packMoment(first.log())
    let tick = await first.step(actions[900]!)
    for (const action of actions.slice(901)) tick = await first.step(action)
    const second = new Timeline(await openDreamNode(TINY, { threads: 1 }))
    const { divergence } = await replay(await unpackMoment(text, second.info.controls), second)
    expect(divergence).toBeNull()
    let there = await second.step(actions[900]!)
    for (const action of actions.slice(901)) there = await second.step(action)
    expect([there.index, hashPixels(there.frame!)]).toEqual([1000, hashPixels(tick.frame!)])
    await Promise.all([first.close(), second.close()])
  }, 240_000)
})
