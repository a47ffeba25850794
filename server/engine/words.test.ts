/** Whose turn it is to have words encoded. */
import { describe, expect, it } from 'vitest'
import { settle } from '../../src/engine/testing/fake-time'
import { isDropped, Words } from './words'

function encoder() {
  const asked: string[] = []
  const waiting: { resolve(embedding: Float32Array): void; reject(error: Error): void }[] = []
  const words = new Words((text) => {
    asked.push(text)
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  })
  const next = async () => {
    waiting.shift()!.resolve(Float32Array.of(asked.length))
    await settle()
  }
  return { words, asked, waiting, next }
}

describe('words', () => {
  it('are encoded one text at a time, one of each session in turn', async () => {
    const { words, asked, next } = encoder()
    for (const text of ['a1', 'a2', 'a3']) void words.encode('a', text)
    for (const text of ['b1', 'b2']) void words.encode('b', text)
    void words.encode('c', 'c1')
    for (let done = 1; done <= 5; done++) {
      expect(asked).toHaveLength(done)
      await next()
    }
    expect(asked).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  it('of who left are dropped, and those of others come up', async () => {
    const { words, asked, next } = encoder()
    const first = words.encode('a', 'a1')
    const dropped = words.encode('a', 'a2')
    const other = words.encode('b', 'b1')
    words.drop('a')
    await expect(dropped.catch((error) => isDropped(error))).resolves.toBe(true)
    await next()
    await next()
    expect([asked, await first, await other]).toEqual([['a1', 'b1'], Float32Array.of(1), Float32Array.of(2)])
  })

  it('that cannot be encoded fail alone', async () => {
    const { words, waiting, next } = encoder()
    const bad = words.encode('a', 'a1')
    const good = words.encode('b', 'b1')
    waiting.shift()!.reject(new Error('no such words'))
    await expect(bad).rejects.toThrow('no such words')
    await settle()
    await next()
    expect(await good).toEqual(Float32Array.of(2))
  })
})
