import { beforeEach, describe, expect, test } from 'vitest'
import { LockstepClock, RealtimeClock } from './clock'
import type { Move } from './controls'
import { BadInputError, NotReadyError } from './errors'
import { HeldKeys } from './held-keys'
import { Loop, type LoopEvent } from './loop'
import { FakeTime, settle } from './testing/fake-time'
import { FAKE, FakeWorld, IDLE } from './testing/fake-world'
import type { PromptReceipt } from './world'

const LEFT = { slide: -1, light: 0 }
const [left, right] = FAKE.moves as [Move, Move]
let time: FakeTime
let world: FakeWorld
let keys: HeldKeys
let loop: Loop
let events: LoopEvent[]

function make(costMs = 10): void {
  time = new FakeTime()
  world = new FakeWorld({ costMs, time })
  keys = new HeldKeys()
  loop = new Loop(world, new RealtimeClock(20, time), keys)
  events = []
  loop.listen((event) => events.push(event))
}

const of = <Type extends LoopEvent['type']>(type: Type) =>
  events.filter((event): event is Extract<LoopEvent, { type: Type }> => event.type === type)
const indices = () => of('tick').map((event) => event.tick.index)

beforeEach(() => make())

describe('playing', () => {
  test('steps the world at its rate, with when and how in each event', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(200)
    loop.pause()
    expect(indices()).toEqual([1, 2, 3, 4])
    expect(of('tick')[2]).toMatchObject({
      epoch: 1,
      action: IDLE,
      pace: { dueAtMs: 100, startedAtMs: 100, late: false },
      sampledAtMs: 100,
      finishedAtMs: 110,
    })
    expect(of('state').map((event) => event.playing)).toEqual([true, false])
  })

  test('samples the newest input just before the step', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(20)
    keys.press('a', left)
    await time.run(20)
    keys.press('d', right)
    await time.run(30)
    expect(of('tick').map((event) => event.action.slide)).toEqual([0, 1])
  })

  test('pause lets the tick in work count and then stands still', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(5)
    loop.pause()
    await time.run(1000)
    expect(indices()).toEqual([1])
    expect(loop.playing).toBe(false)
    loop.play()
    await time.run(5)
    expect(loop.clock.mode === 'realtime' && loop.clock.stats().droppedMs).toBe(0)
  })

  test('playing twice or pausing twice changes nothing', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    loop.play()
    await time.run(120)
    loop.pause()
    loop.pause()
    expect(indices()).toEqual([1, 2, 3])
    expect(of('state').length).toBe(2)
  })
})

describe('single steps', () => {
  test('pause first and use the given action or the input', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(20)
    keys.press('d', right)
    const stepping = [loop.step(), loop.step(LEFT)]
    await time.run(100)
    await Promise.all(stepping)
    expect(indices()).toEqual([1, 2, 3])
    expect(of('tick').map((event) => event.action.slide)).toEqual([0, 1, -1])
    expect(of('tick')[1]!.pace).toBeNull()
    expect(loop.playing).toBe(false)
  })

  test('are all that a lockstep loop does', async () => {
    const lockstep = new Loop(new FakeWorld(), new LockstepClock(), keys)
    await lockstep.reset({ seed: 1 })
    expect(() => lockstep.play()).toThrow(BadInputError)
    expect((await lockstep.step(LEFT))?.index).toBe(1)
    expect(lockstep.tick).toBe(1)
  })

  test('reject with the error of the world', async () => {
    await expect(loop.step()).rejects.toBeInstanceOf(NotReadyError)
    expect(of('error')).toEqual([])
  })
})

describe('commands in mid-play', () => {
  test('a reset drops the frame in work, clears held keys and goes on playing', async () => {
    await loop.reset({ seed: 1 })
    keys.press('d', right)
    loop.play()
    await time.run(105)
    const resetting = loop.reset({ seed: 2 })
    await time.run(60)
    await resetting
    expect(indices()).toEqual([1, 2, 1])
    expect(of('begin').map((event) => [event.cause, event.epoch])).toEqual([
      ['reset', 1],
      ['reset', 2],
    ])
    expect(of('tick').map((event) => [event.epoch, event.action.slide])).toEqual([
      [1, 1],
      [1, 1],
      [2, 0],
    ])
    expect(world.calls.filter((call) => call === 'step').length).toBe(4)
  })

  test('of two resets only the newer shows its first frame', async () => {
    const [first, second] = await Promise.all([loop.reset({ seed: 1 }), loop.reset({ seed: 2 })])
    expect([first.index, second.index]).toEqual([0, 0])
    expect(of('begin').map((event) => event.epoch)).toEqual([2])
  })

  test('a refused reset rejects and play goes on', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(60)
    await expect(loop.reset({ seed: -1 })).rejects.toBeInstanceOf(BadInputError)
    await time.run(100)
    expect(loop.tick).toBeGreaterThan(2)
    expect(of('error')).toEqual([])
  })

  test('a prompt counts from the next tick on and never resets', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(55)
    const prompting = loop.setPrompt('snow')
    await time.run(100)
    await prompting
    await time.run(10)
    expect(of('prompt')).toEqual([{ type: 'prompt', epoch: 1, text: 'snow', afterTick: 2 }])
    expect(indices()).toEqual([1, 2, 3, 4])
    expect(world.calls.slice(0, 5)).toEqual(['reset', 'step', 'step', 'setPrompt', 'step'])
  })

  test('words that take long to be read hold back neither ticks nor keys', async () => {
    await loop.reset({ seed: 1 })
    let read = () => {}
    const reading = new Promise<PromptReceipt>((resolve) => {
      read = () => resolve({ tick: 5 })
    })
    world.setPrompt = () => reading
    loop.play()
    await time.run(55)
    const prompting = loop.setPrompt('words nobody knows')
    keys.press('d', right)
    await time.run(110)
    expect(indices()).toEqual([1, 2, 3, 4])
    expect(of('tick').at(-1)!.action.slide).toBe(1)
    read()
    expect(await prompting).toEqual({ tick: 5 })
    expect(of('prompt')).toEqual([{ type: 'prompt', epoch: 1, text: 'words nobody knows', afterTick: 4 }])
  })

  test('words that a reset overtakes are not said to count', async () => {
    await loop.reset({ seed: 1 })
    const prompting = loop.setPrompt('snow')
    await loop.reset({ seed: 2, prompt: 'fog' })
    await prompting
    expect(of('prompt')).toEqual([])
    expect((await loop.snapshot()).prompt!.text).toBe('fog')
  })

  test('a restore goes back', async () => {
    await loop.reset({ seed: 1 })
    const snapshot = await loop.snapshot()
    loop.play()
    await time.run(170)
    const restoring = loop.restore(snapshot)
    await time.run(60)
    await restoring
    expect(indices()).toEqual([1, 2, 3, 4, 1])
    expect(of('begin').at(-1)).toMatchObject({ cause: 'restore', epoch: 2 })
  })
})

describe('swapping the world', () => {
  test('goes on in the other one while the old one plays until then', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(60)
    const other = new FakeWorld({ costMs: 10, time })
    const swapping = loop.swap(other, { restore: await world.snapshot() })
    await time.run(100)
    const { tick, former } = (await swapping)!
    expect(former).toBe(world)
    expect(loop.world).toBe(other)
    expect(tick.index).toBe(2)
    expect(indices()).toEqual([1, 2, 3, 4])
    expect(of('begin').at(-1)).toMatchObject({ cause: 'swap', epoch: 2 })
    expect(loop.playing).toBe(true)
  })

  test('replaces a world that hangs', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(5)
    world.step = () => new Promise(() => {})
    await time.run(60)
    const other = new FakeWorld()
    await loop.swap(other, { reset: { seed: 3 } })
    await time.run(100)
    expect(indices()).toEqual([1, 1, 2, 3])
  })

  test('keeps the old world where the new one cannot begin', async () => {
    await loop.reset({ seed: 1 })
    loop.play()
    const other = new FakeWorld({ id: 'another' })
    await expect(loop.swap(other, { restore: await world.snapshot() })).rejects.toThrow(/another/)
    await time.run(100)
    expect(loop.world).toBe(world)
    expect(loop.epoch).toBe(1)
    expect(indices()).toEqual([1, 2])
  })

  test('changes nothing where the new world is no longer wanted', async () => {
    await loop.reset({ seed: 1 })
    const wanted = () => false
    expect(await loop.swap(new FakeWorld(), { reset: { seed: 3 } }, wanted)).toBeNull()
    expect([loop.world, loop.epoch]).toEqual([world, 1])
    expect(of('begin')).toHaveLength(1)
  })

  test('what was queued for the old world never reaches the new one', async () => {
    await loop.reset({ seed: 1 })
    const stepping = loop.step()
    const late = loop.setPrompt('late')
    const other = new FakeWorld()
    await loop.swap(other, { reset: { seed: 3 } })
    await time.run(50)
    await Promise.all([stepping, late])
    expect(other.calls).toEqual(['reset'])
    expect(of('prompt')).toEqual([])
    expect(indices()).toEqual([])
  })
})

describe('errors', () => {
  test('of the world stop play and surface as an event', async () => {
    await loop.reset({ seed: 1 })
    const error = new Error('device lost')
    world.failNextStep(error)
    loop.play()
    await time.run(200)
    expect(of('error')).toEqual([{ type: 'error', error, during: 'step' }])
    expect(loop.playing).toBe(false)
    loop.play()
    await time.run(60)
    expect(indices()).toEqual([1, 2])
  })

  test('of a step that a reset overtook are of the old drive, and play goes on', async () => {
    await loop.reset({ seed: 1 })
    world.failNextStep(new Error('device lost'))
    loop.play()
    await time.run(5)
    const resetting = loop.reset({ seed: 2 })
    await time.run(60)
    await resetting
    expect(of('error')).toEqual([])
    expect(loop.playing).toBe(true)
    world.failNextStep(new Error('device lost'))
    const stepping = loop.step()
    await settle()
    void loop.reset({ seed: 3 })
    await time.run(20)
    expect(await stepping).toBeNull()
  })

  test('of a listener surface as an event and do not stop play', async () => {
    loop.listen((event) => {
      if (event.type === 'tick' && event.tick.index === 1) throw new Error('torn canvas')
    })
    await loop.reset({ seed: 1 })
    loop.play()
    await time.run(120)
    expect(of('error').map((event) => event.during)).toEqual(['listener'])
    expect(indices()).toEqual([1, 2, 3])
  })
})

test('close ends play and silence follows, but the world stays open', async () => {
  await loop.reset({ seed: 1 })
  loop.play()
  await time.run(60)
  loop.close()
  const before = events.length
  await time.run(200)
  await settle()
  expect(events.length).toBe(before)
  expect(world.closed).toBe(false)
})
