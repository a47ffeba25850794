import { describe, expect, it } from 'vitest'
import type { SentenceModel } from './load'
import { type Sentences, sharedSentences } from './sentences'

const MODEL = {} as SentenceModel

/** Counts what is opened and let go of; loads fail as often as it is told. */
function counted(failures = 0) {
  const counts = { opened: 0, loads: 0, released: 0 }
  const open = (): Sentences => {
    counts.opened++
    return {
      async load() {
        if (counts.loads++ < failures) throw new Error('not now')
        return MODEL
      },
      async release() {
        counts.released++
      },
    }
  }
  return { counts, open }
}

describe('a shared model of sentences', () => {
  it('is opened once for all of a folder, and let go of with the last', async () => {
    const { counts, open } = counted()
    const [first, second] = [sharedSentences('one', open), sharedSentences('one', open)]
    expect(await Promise.all([first.load(), second.load(), first.load()])).toEqual([MODEL, MODEL, MODEL])
    await first.release()
    await first.release()
    expect(counts).toMatchObject({ opened: 1, released: 0 })
    await second.release()
    expect(counts).toMatchObject({ opened: 1, released: 1 })
    await first.load()
    expect(counts).toMatchObject({ opened: 2, released: 1 })
    await first.release()
  })

  it('is another for another folder, and none for who never needed it', async () => {
    const { counts, open } = counted()
    const [idle, here, there] = ['here', 'here', 'there'].map((key) => sharedSentences(key, open))
    await Promise.all([here!.load(), there!.load()])
    await idle!.release()
    expect(counts).toMatchObject({ opened: 2, released: 0 })
    await Promise.all([here!.release(), there!.release()])
    expect(counts).toMatchObject({ opened: 2, released: 2 })
  })

  it('is loaded again where that failed', async () => {
    const { counts, open } = counted(1)
    const [first, second] = [sharedSentences('late', open), sharedSentences('late', open)]
    await expect(first.load()).rejects.toThrow('not now')
    expect(await second.load()).toBe(MODEL)
    expect(counts).toMatchObject({ opened: 1, loads: 2 })
    await Promise.all([first.release(), second.release()])
  })
})
