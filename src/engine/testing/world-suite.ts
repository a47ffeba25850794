import { afterEach, describe, expect, test } from 'vitest'
import { type Action, spaceOf } from '../controls'
import { BadInputError, NotReadyError, SnapshotMismatchError, WorldClosedError } from '../errors'
import { hashPixels } from '../frame-hash'
import { expectFrame } from '../script'
import type { Pixels, World } from '../world'

export interface CheckWorldOptions {
  /** Opens a fresh world; the suite closes it. */
  readonly open: () => Promise<World>
  /** Ids of starts, where the world has any. */
  readonly starts?: readonly string[]
  /** Ticks played in each test. Default 6. */
  readonly ticks?: number
  /** Ticks after which a new prompt must be visible. Default 1. */
  readonly promptTicks?: number
  /** Same seed and actions give the same bits. Default true; false for a GPU backend. */
  readonly exact?: boolean
}

/**
 * The promises of {@link World} as tests, which run in vitest: every implementation answers the same ones.
 *
 * @example
 * // my-world.test.ts
 * checkWorld('my world', { open: async () => new MyWorld() })
 */
export function checkWorld(name: string, options: CheckWorldOptions): void {
  const { ticks = 6, promptTicks = 1, exact = true } = options
  const opened: World[] = []

  async function open(): Promise<World> {
    const world = await options.open()
    opened.push(world)
    return world
  }

  const hash = async (world: World) => hashPixels(await world.readPixels())
  const actionOf = ({ info }: World, i: number): Action => {
    const space = spaceOf(info.controls)
    return space.action((i * 5 + 3) % space.size)
  }
  const idle = ({ info }: World) => spaceOf(info.controls).idle

  /** A reset's words, in a world that listens to any. */
  const words = ({ info }: World, prompt: string) => (info.prompt ? { prompt } : {})

  async function play(world: World, from: number, count: number): Promise<string[]> {
    const hashes: string[] = []
    for (let i = from; i < from + count; i++) {
      await world.step(actionOf(world, i))
      hashes.push(await hash(world))
    }
    return hashes
  }

  async function refusesWords(world: World): Promise<void> {
    await expect(world.reset({ seed: 2, prompt: 'fog' })).rejects.toThrow(/no words/)
    await world.reset({ seed: 2 })
    await expect(world.setPrompt('fog')).rejects.toThrow(/no words/)
    const snapshot = await world.snapshot()
    expect(snapshot.prompt).toBeNull()
    const made = { ...snapshot, prompt: { text: 'fog', embedding: null } }
    await expect(world.restore(made)).rejects.toBeInstanceOf(BadInputError)
    expect((await world.step(idle(world))).index).toBe(1)
  }

  describe(`${name} keeps the promises of World`, () => {
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((world) => world.close()))
    })

    test('reset gives tick 0 and steps count up by one', async () => {
      const world = await open()
      const first = await world.reset({ seed: 5 })
      expect(first.index).toBe(0)
      for (let i = 1; i <= ticks; i++) {
        const tick = await world.step(actionOf(world, i))
        expect(tick.index).toBe(i)
        expect(tick.epoch).toBe(first.epoch)
      }
    })

    test('frames have the size that info says and are opaque', async () => {
      const world = await open()
      const tick = await world.reset({ seed: 5 })
      const pixels = await world.readPixels()
      const { width, height } = world.info
      expect([pixels.width, pixels.height, pixels.data.length]).toEqual([width, height, width * height * 4])
      expect(pixels.data.every((value, i) => i % 4 !== 3 || value === 255)).toBe(true)
      if (tick.frame) expect(hashPixels(tick.frame)).toBe(hashPixels(pixels))
    })

    test('a tick that carries its frame carries what the instruments read, where there are any', async () => {
      const world = await open()
      await world.reset({ seed: 5 })
      const { frame, telemetry, reward, done } = await world.step(actionOf(world, 1))
      const read = await world.readTelemetry()
      const { info } = world
      if (frame) {
        expect(telemetry ?? null).toEqual(read)
        expect([reward !== undefined, done !== undefined]).toEqual([info.reward, info.done])
        if (reward !== undefined) expect(Number.isFinite(reward)).toBe(true)
      }
      expect(Object.keys(read ?? {})).toEqual(info.telemetry.map(({ name }) => name))
      for (const value of Object.values(read ?? {})) expect(Number.isFinite(value)).toBe(true)
    })

    test.runIf(exact)('the same seed and actions give the same frames, another seed others', async () => {
      const world = await open()
      await world.reset({ seed: 11, ...words(world, 'a clear noon in the meadow') })
      const once = [await hash(world), ...(await play(world, 1, ticks))]
      await world.reset({ seed: 11, ...words(world, 'a clear noon in the meadow') })
      expect([await hash(world), ...(await play(world, 1, ticks))]).toEqual(once)
      await world.reset({ seed: 12, ...words(world, 'a clear noon in the meadow') })
      expect([await hash(world), ...(await play(world, 1, ticks))]).not.toEqual(once)
    })

    test('calls made without waiting are carried out in order', async () => {
      const world = await open()
      const [zero, one, two, snapshot, three] = await Promise.all([
        world.reset({ seed: 1 }),
        world.step(idle(world)),
        world.step(idle(world)),
        world.snapshot(),
        world.step(idle(world)),
      ])
      expect([zero.index, one.index, two.index, snapshot.tick, three.index]).toEqual([0, 1, 2, 2, 3])
    })

    test('a prompt changes the picture without a reset; a world without one says so', async () => {
      const world = await open()
      if (!world.info.prompt) return refusesWords(world)
      await world.reset({ seed: 2, ...words(world, 'a clear noon in the meadow') })
      await play(world, 1, 2)
      const fork = await world.snapshot()
      const without = await play(world, 3, promptTicks)
      const back = await world.restore(fork)
      const { tick: from } = await world.setPrompt('a snowy night drive')
      const tick = await world.step(actionOf(world, 3))
      expect([from, tick.index]).toEqual([3, 3])
      expect(tick.epoch).toBe(back.epoch)
      if (promptTicks > 1) await play(world, 4, promptTicks - 1)
      expect(await hash(world)).not.toBe(without.at(-1))
      expect((await world.snapshot()).prompt?.text).toBe('a snowy night drive')
    })

    test('a snapshot brings the same future back, through structured clone and into another world', async () => {
      const world = await open()
      await world.reset({ seed: 3 })
      await play(world, 1, 3)
      const snapshot = structuredClone(await world.snapshot())
      const future = await play(world, 4, ticks)
      const before = await world.step(idle(world))
      const restored = await world.restore(snapshot)
      expect(restored.index).toBe(3)
      expect(restored.epoch).toBeGreaterThan(before.epoch)
      if (exact) expect(await play(world, 4, ticks)).toEqual(future)
      const other = await open()
      await other.restore(snapshot)
      if (exact) expect(await play(other, 4, ticks)).toEqual(future)
    })

    test('taking a snapshot does not disturb play', async () => {
      const world = await open()
      await world.reset({ seed: 4 })
      const quiet = await play(world, 1, 4)
      await world.reset({ seed: 4 })
      const watched: string[] = []
      for (let i = 1; i <= 4; i++) {
        await world.snapshot()
        watched.push(...(await play(world, i, 1)))
      }
      if (exact) expect(watched).toEqual(quiet)
    })

    test('epochs grow by one with every reset and restore', async () => {
      const world = await open()
      const first = await world.reset({ seed: 1 })
      const second = await world.reset({ seed: 1 })
      const third = await world.restore(await world.snapshot())
      expect([second.epoch, third.epoch]).toEqual([first.epoch + 1, first.epoch + 2])
    })

    test('a bad seed, start or snapshot is refused and the running state kept', async () => {
      const world = await open()
      await world.reset({ seed: 6 })
      await play(world, 1, 2)
      const kept = await hash(world)
      for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) {
        await expect(world.reset({ seed })).rejects.toBeInstanceOf(BadInputError)
      }
      await expect(world.reset({ seed: 1, start: 'no such start' })).rejects.toBeInstanceOf(BadInputError)
      const snapshot = await world.snapshot()
      await expect(world.restore({ ...snapshot, world: 'another' })).rejects.toBeInstanceOf(
        SnapshotMismatchError,
      )
      await expect(world.restore({ ...snapshot, modelHash: 'ff' })).rejects.toBeInstanceOf(
        SnapshotMismatchError,
      )
      await expect(world.restore({ ...snapshot, version: 1 } as never)).rejects.toThrow(
        /version is 1, but .*"2"/,
      )
      await expect(world.restore({ ...snapshot, state: {} })).rejects.toBeInstanceOf(BadInputError)
      expect(await hash(world)).toBe(kept)
      expect((await world.step(idle(world))).index).toBe(3)
    })

    test('what is no action is refused with a sentence, and play goes on', async () => {
      const world = await open()
      await world.reset({ seed: 6 })
      const [first] = world.info.controls
      const { name } = first!
      const without = { ...idle(world), [name]: undefined }
      const bad: [unknown, RegExp][] = [
        [undefined, /undefined came/],
        [null, /null came/],
        [5, /5 came/],
        [{}, new RegExp(`"${name}".*undefined came`)],
        [without, new RegExp(`"${name}".*undefined came`)],
        [{ ...idle(world), [name]: 0.123 }, /0.123 came/],
        [{ ...idle(world), [name]: Number.NaN }, /NaN came/],
        [{ ...idle(world), [name]: '0' }, /"0" came/],
        [{ ...idle(world), [`${name}x`]: 0 }, new RegExp(`"${name}x" came.*Did you mean "${name}"`)],
        [{ ...idle(world), 'nothing of the kind': 0 }, /"nothing of the kind" came/],
      ]
      for (const [action, sentence] of bad) {
        const error = await world.step(action as Action).catch((error: unknown) => error)
        expect(error).toBeInstanceOf(BadInputError)
        expect((error as Error).message).toMatch(sentence)
      }
      expect((await world.step(idle(world))).index).toBe(1)
      await world.restore(await world.snapshot())
    })

    test('what is misspelt or none at all is refused with a sentence', async () => {
      const world = await open()
      await world.reset({ seed: 6 })
      const refused = async (call: () => Promise<unknown>, sentence: RegExp) => {
        const error = await call().catch((error: unknown) => error)
        expect(error).toBeInstanceOf(BadInputError)
        expect((error as Error).message).toMatch(sentence)
      }
      const none = null as never
      await refused(() => world.reset({ seed: 1, promt: 'fog' } as never), /"promt".*"prompt"/)
      await refused(() => world.reset({ seed: 1, start: 5 as never }), /5 came/)
      await refused(() => world.reset(none), /null came/)
      await refused(() => world.restore(none), /null came/)
      if (!world.info.prompt) return
      const whole = await world.snapshot()
      await refused(() => world.restore({ ...whole, prompt: none }), /prompt/)
      await refused(() => world.reset({ seed: 1, prompt: 5 as never }), /5 came/)
      await refused(() => world.setPrompt(none), /null came/)
      await refused(() => world.setPrompt(''), /word/)
      await refused(() => world.setPrompt({ text: ' ' }), /word/)
      await refused(() => world.setPrompt({ txt: 'fog' } as never), /"txt".*"text"/)
      expect((await world.step(idle(world))).index).toBe(1)
    })

    test('futures, where the world can fork, are what it would have become', async () => {
      const world = await open()
      await world.reset({ seed: 8 })
      await play(world, 1, 2)
      if (!world.fork) return
      const here = await world.snapshot()
      const futures = await world.fork(3)
      let seen: Pixels[] = []
      for (let i = 0; i < ticks; i++) {
        const moved = await futures.step([0, 1, 2].map((k) => actionOf(world, i + 7 * k)))
        expect(moved.map(({ index }) => index)).toEqual([3 + i, 3 + i, 3 + i])
        seen = moved.map(({ frame }) => frame!)
      }
      expect((await world.step(idle(world))).index).toBe(3)
      const alone = await Promise.all([0, 1, 2].map((k) => futures.snapshot(k)))
      if (exact) {
        expect(new Set(seen.map(hashPixels)).size).toBe(3)
        for (const k of [0, 1, 2]) {
          await world.restore(here)
          for (let i = 0; i < ticks; i++) {
            await world.step(actionOf(world, i + 7 * k))
          }
          expect((await world.snapshot()).tick).toBe(alone[k]!.tick)
          // A batch rounds otherwise, and no more.
          await expectFrame(world, seen[k]!)
        }
      }
      await world.restore(alone[1]!)
      if (world.info.prompt) {
        await futures.setPrompt(1, 'a snowy night drive')
        const told = await Promise.all([0, 1, 2].map((k) => futures.snapshot(k)))
        const own = here.prompt!.text
        expect(told.map(({ prompt }) => prompt!.text)).toEqual([own, 'a snowy night drive', own])
        await expect(futures.setPrompt(3, 'a snowy night drive')).rejects.toBeInstanceOf(BadInputError)
      }
      for (const bad of [[], [idle(world)], [idle(world), idle(world), { none: 1 }], null]) {
        await expect(futures.step(bad as never)).rejects.toBeInstanceOf(BadInputError)
      }
      expect((await futures.step([0, 1, 2].map(() => idle(world)))).map(({ index }) => index)).toEqual(
        Array(3).fill(3 + ticks),
      )
      await expect(futures.snapshot(3)).rejects.toBeInstanceOf(BadInputError)
      for (const count of [0, 1.5, 65, Number.NaN]) {
        await expect(world.fork(count)).rejects.toBeInstanceOf(BadInputError)
      }
      await futures.close()
      await futures.close()
      await expect(futures.step([])).rejects.toBeInstanceOf(WorldClosedError)
    })

    test('a snapshot survives JSON', async () => {
      const world = await open()
      await world.reset({ seed: 3 })
      await play(world, 1, 3)
      const snapshot = JSON.parse(JSON.stringify(await world.snapshot()))
      const future = await play(world, 4, ticks)
      expect((await world.restore(snapshot)).index).toBe(3)
      if (exact) expect(await play(world, 4, ticks)).toEqual(future)
    })

    test.runIf((options.starts?.length ?? 0) > 1)('starts are chosen by name', async () => {
      const world = await open()
      const [a, b] = options.starts as [string, string]
      await world.reset({ seed: 1, start: a })
      const first = await hash(world)
      await world.reset({ seed: 1, start: b })
      expect(await hash(world)).not.toBe(first)
    })

    test('calls before the first reset are refused by name', async () => {
      const world = await open()
      await expect(world.step(idle(world))).rejects.toBeInstanceOf(NotReadyError)
      if (world.info.prompt) await expect(world.setPrompt('x')).rejects.toBeInstanceOf(NotReadyError)
      await expect(world.snapshot()).rejects.toBeInstanceOf(NotReadyError)
      await expect(world.readPixels()).rejects.toBeInstanceOf(NotReadyError)
      await expect(world.readTelemetry()).rejects.toBeInstanceOf(NotReadyError)
    })

    test('closing is idempotent and every call afterwards is refused by name', async () => {
      const world = await open()
      await world.reset({ seed: 1 })
      const snapshot = await world.snapshot()
      await world.close()
      await world.close()
      await expect(world.reset({ seed: 1 })).rejects.toBeInstanceOf(WorldClosedError)
      await expect(world.step(idle(world))).rejects.toBeInstanceOf(WorldClosedError)
      await expect(world.setPrompt('x')).rejects.toBeInstanceOf(WorldClosedError)
      await expect(world.snapshot()).rejects.toBeInstanceOf(WorldClosedError)
      await expect(world.restore(snapshot)).rejects.toBeInstanceOf(WorldClosedError)
      await expect(world.readPixels()).rejects.toBeInstanceOf(WorldClosedError)
      await expect(world.readTelemetry()).rejects.toBeInstanceOf(WorldClosedError)
    })
  })
}
