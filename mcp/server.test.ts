import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld, type World } from '../src/node'
import { MOST_CHARACTERS, told } from './answers'
import { agents, called } from './testing'
import { MOST_OPEN, MOST_SNAPSHOTS, Worlds } from './worlds'

const folder = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const DRIVE = folder('assets/drive')
const BUTTONS = folder('contract/buttons')

let agent: Awaited<ReturnType<typeof agents>>
beforeAll(async () => {
  agent = await agents([DRIVE, BUTTONS])
})
afterAll(() => agent.close())

const pixels = async (png: Buffer) => sharp(png).ensureAlpha().raw().toBuffer()

describe('an agent plays', () => {
  it('the drive: frames, readings and reward are those of the world behind it', async () => {
    const { call } = agent
    const opened = await call('open', { seed: 7, prompt: 'a snowy night drive' })
    const { world } = opened.json
    expect(opened.json).toMatchObject({
      world: 'drive-1',
      tick: 0,
      ticksPerSecond: 20,
      words: true,
      reward: true,
    })
    expect(opened.text).toContain('steer -1 (left), 0, 1 (right); throttle -1 (brake), 0, 1 (go)')

    const real = await openWorld(DRIVE, { threads: 1 })
    await real.reset({ seed: 7, prompt: 'a snowy night drive' })
    let reward = 0
    let tick = await real.step({ steer: 0, throttle: 1 })
    for (let i = 1; i < 20; i++) {
      reward += tick.reward!
      tick = await real.step({ steer: 0, throttle: 1 })
    }
    reward += tick.reward!
    const acted = await call('act', { world, hold: { throttle: 1 }, ticks: 20 })
    expect(acted.image).toBeNull()
    expect(acted.json).toMatchObject({ tick: 20, seconds: 1, done: false })
    expect(acted.json.reward).toBeCloseTo(reward, 1)

    const looked = await call('look', { world })
    expect(looked.json).toMatchObject({ tick: 20 })
    expect(Object.keys(looked.json.telemetry)).toEqual(real.info.telemetry.map(({ name }) => name))
    expect(new Uint8Array(await pixels(looked.image!))).toEqual(new Uint8Array(tick.frame!.data))
    // Time stands still between calls.
    expect((await call('look', { world })).text).toBe(looked.text)

    expect((await call('say', { world, words: 'desert highway at sunset' })).json).toEqual({
      said: 'desert highway at sunset',
      countsFromTick: 21,
    })
    await real.setPrompt('desert highway at sunset')
    await real.step({ steer: 1, throttle: 0 })
    await call('act', { world, hold: { steer: 1 } })
    const after = await pixels((await call('look', { world })).image!)
    expect(new Uint8Array(after)).toEqual(new Uint8Array((await real.readPixels()).data))
    await real.close()
    await call('close', { world })
  })

  it('a world of buttons, which has no words, no instruments and no reward', async () => {
    const { call } = agent
    const { json, text } = await call('open', { name: 'buttons', start: 'bright' })
    expect(json).toMatchObject({ words: false, reward: false, done: false, telemetry: {} })
    expect(text).toContain('red 0, 1; green 0, 1; blue 0, 1')
    const acted = await call('act', { world: json.world, hold: { red: 1 }, ticks: 4 })
    expect(acted.json).toEqual({ tick: 4, seconds: 0.2 })
    const { image } = await call('look', { world: json.world })
    expect(await sharp(image!).metadata()).toMatchObject({ format: 'png', width: 64, height: 48 })
    const said = await call('say', { world: json.world, words: 'fog' })
    expect(said.text).toBe(
      'BAD_INPUT: This world listens to no words, but a prompt came. Leave it out, as info.prompt says.',
    )
    await call('close', { world: json.world })
  })

  it('and goes back, and tries things out in a fork', async () => {
    const { call } = agent
    const { world } = (await call('open', { name: 'buttons', seed: 3 })).json
    await call('act', { world, hold: { green: 1 }, ticks: 3 })
    const kept = await call('snapshot', { world })
    expect(kept.json).toMatchObject({ tick: 3 })
    const there = (await call('fork', { world })).json.world
    const picture = async (handle: string) => (await call('look', { world: handle })).image!.toString('hex')
    expect(await picture(there)).toBe(await picture(world))
    await call('act', { world, hold: { blue: 1 }, ticks: 2 })
    await call('act', { world: there, hold: { red: 1 }, ticks: 2 })
    expect(await picture(there)).not.toBe(await picture(world))
    const restored = await call('restore', { world: there, snapshot: kept.json.snapshot })
    expect(restored.json).toMatchObject({ tick: 3 })
    await call('act', { world: there, hold: { blue: 1 }, ticks: 2 })
    expect(await picture(there)).toBe(await picture(world))
    await call('close', { world })
    await call('close', { world: there })
  })

  it('with another client on the same world, each act as a whole', async () => {
    const { call, clients } = agent
    const { world } = (await call('open', { name: 'buttons' })).json
    const acts = await Promise.all(
      [clients.stateless, clients.connected].map((client) =>
        called(client, 'act', { world, hold: { red: 1 }, ticks: 5 }),
      ),
    )
    expect(acts.map(({ json }) => json.tick).sort()).toEqual([10, 5])
    await call('close', { world })
  })
})

it('an act costs little', async () => {
  const { call } = agent
  const { world } = (await call('open')).json
  for (const ticks of [1, 20]) {
    const { text, json } = await call('act', { world, hold: { steer: -1, throttle: 1 }, ticks })
    expect(text.length).toBeLessThanOrEqual(MOST_CHARACTERS)
    expect(json).toHaveProperty('telemetry.offset')
  }
  await call('close', { world })
})

it('and no more in a world that reads much', () => {
  const telemetry = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`reading${i}`, -i / 7e5]))
  const world = { info: { ticksPerSecond: 20 } } as World
  const answer = told(
    world,
    { index: 1e6, epoch: 1, frame: null, telemetry, reward: -1 / 3, done: false, timings: {} },
    MOST_CHARACTERS,
  )
  expect(JSON.stringify(answer).length).toBeLessThanOrEqual(MOST_CHARACTERS)
  expect(answer).toMatchObject({ tick: 1e6, reward: -0.333, unread: expect.any(Number) })
  expect(answer).toHaveProperty('telemetry.reading9')
})

describe('what is wrong gets a code and a sentence, and the world goes on', () => {
  let world: string
  beforeAll(async () => {
    world = (await agent.call('open', { name: 'buttons' })).json.world
  })

  it.each([
    [
      'act',
      { hold: { jump: 1 } },
      /red, green and blue, but "jump" came.*Controls: red 0, 1; green 0, 1; blue 0, 1/,
    ],
    ['act', { hold: { red: 0.5 } }, /"red" of an action is 0, 1, but 0.5 came/],
    ['act', { hold: { red: Number.NaN } }, /"red" of an action is 0, 1, but (NaN|null) came/],
    ['act', { hold: { red: 'on' } }, /"red" of an action is 0, 1, but "on" came/],
    ['act', { hold: { red: 1 }, ticks: 0 }, /from 1 to 100, but 0 came/],
    ['act', { hold: { red: 1 }, ticks: 1.5 }, /from 1 to 100, but 1.5 came/],
    ['act', { hold: { red: 1 }, ticks: 1e9 }, /from 1 to 100, but 1000000000 came/],
    ['restore', { snapshot: 'snapshot-999' }, /no snapshot "snapshot-999". There are:/],
    ['say', { words: ' ' }, /listens to no words/],
  ])('%s %j', async (name, args, sentence) => {
    const { text, refused } = await agent.call(name, { world, ...args })
    expect(text).toMatch(/^BAD_INPUT: /)
    expect(text).toMatch(sentence)
    expect(refused).toBe(true)
    expect((await agent.call('look', { world })).json).toMatchObject({ tick: 0 })
  })

  it.each([
    ['act', {}],
    ['act', { hold: 'steer left' }],
    ['act', { hold: [1] }],
    ['look', { world: 5 }],
    ['say', {}],
  ])('%s %j is not what the tool takes', async (name, args) => {
    const { text, refused } = await agent.call(name, { world, ...args })
    expect(refused).toBe(true)
    expect(text).toMatch(/hold|world|words/)
  })

  it('another handle, with those that are open', async () => {
    const { text, refused } = await agent.call('act', { world: 'drive-99', hold: {} })
    expect(refused).toBe(true)
    expect(text).toBe(`BAD_INPUT: There is no world "drive-99". Open are ${world}.`)
  })

  it('another world, with those that there are; a wrong seed, start or prompt opens nothing', async () => {
    expect((await agent.call('open', { name: 'doom' })).text).toBe(
      'BAD_INPUT: There is no world "doom" here. Open one of drive, buttons.',
    )
    expect((await agent.call('open', { name: 'buttons', seed: -1 })).text).toMatch(/seed.*-1 came/)
    expect((await agent.call('open', { name: 'buttons', start: 'x' })).text).toMatch(
      /Choose one of dim, bright/,
    )
    expect((await agent.call('open', { name: 'buttons', prompt: 'x' })).text).toMatch(/listens to no words/)
    expect(agent.worlds.handles).toEqual([world])
  })

  it('a snapshot of another world', async () => {
    const drive = (await agent.call('open')).json.world
    const { snapshot } = (await agent.call('snapshot', { world: drive })).json
    const { text } = await agent.call('restore', { world, snapshot })
    expect(text).toMatch(
      /^SNAPSHOT_MISMATCH: The snapshot's world is "drive", but this world needs "buttons"/,
    )
    await agent.call('close', { world: drive })
  })

  it('too many worlds; of too many snapshots the oldest goes', async () => {
    const more = []
    for (let i = 1; i < MOST_OPEN; i++) more.push((await agent.call('fork', { world })).json.world)
    expect((await agent.call('fork', { world })).text).toMatch(/^TOO_MANY_WORLDS: 8 worlds.*Close one of/)
    for (const one of more) await agent.call('close', { world: one })
    const { snapshot } = (await agent.call('snapshot', { world })).json
    for (let i = 0; i < MOST_SNAPSHOTS; i++) await agent.call('snapshot', { world })
    expect((await agent.call('restore', { world, snapshot })).text).toMatch(/the newest 64 are kept/)
  })

  it('two folders of one name', () => {
    expect(() => new Worlds(['a/drive', 'b/drive'], openWorld)).toThrow(/two of a\/drive, b\/drive are alike/)
  })

  it('a world that was closed', async () => {
    expect((await agent.call('close', { world })).json).toEqual({ closed: world, open: [] })
    for (const name of ['look', 'snapshot', 'fork', 'close']) {
      expect((await agent.call(name, { world })).text).toMatch(/None is open: call open/)
    }
  })
})
