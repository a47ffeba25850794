/** Every way in which the log's end can fail, and that the server does not notice. */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeTime } from '../../src/engine/testing/fake-time'
import { TINY } from '../../src/model/testing'
import { commandOf, endChildren, freePort } from '../testing/children'
import { LogSink, throughFile, throughStream } from './log'
import { LINES, RatedLog, WINDOW_MS } from './rated-log'

/** On a machine that does much else. */
const PATIENCE = 600_000
const HANGS_MS = 60_000
const closing: (() => void)[] = []
afterEach(async () => {
  await endChildren()
  for (const close of closing.splice(0).reverse()) close()
})

describe('a line that cannot be written', () => {
  it('is lost and counted, and the next one that can be says how many were', () => {
    let full = false
    const written: string[] = []
    const sink = new LogSink((text) => {
      if (!full) written.push(text)
      return !full
    })
    sink.write('one\n')
    full = true
    for (let i = 0; i < 5; i++) sink.write('gone\n')
    full = false
    sink.write('two\n')
    expect(sink.lost).toBe(5)
    expect([written[0], JSON.parse(written[1]!).lines, written[2]]).toEqual(['one\n', 5, 'two\n'])
  })

  it('to a full device is lost without an error', () => {
    const file = openSync('/dev/full', 'w')
    closing.push(() => closeSync(file))
    const sink = new LogSink(throughFile(file))
    sink.write('gone\n')
    expect(sink.lost).toBe(1)
  })

  it('to a reader who does not read waits up to a bound, and no longer after it broke', () => {
    const stream = new Writable({ write: () => {} })
    const sink = new LogSink(throughStream(stream))
    for (let i = 0; i < 1000; i++) sink.write(`${'x'.repeat(999)}\n`)
    expect(stream.writableLength).toBeLessThan(300_000)
    expect(sink.lost).toBeGreaterThan(700)
    stream.emit('error', new Error('EPIPE'))
    const { lost } = sink
    sink.write('gone\n')
    expect(sink.lost).toBe(lost + 1)
  })
})

describe('lines of one kind', () => {
  const collected = () => {
    const lines: [string, object, string][] = []
    const level = (name: string) => (fields: object, text: string) => void lines.push([name, fields, text])
    return { lines, log: { info: level('info'), warn: level('warn'), error: level('error') } }
  }

  it('are written up to a rate, and then counted, each code by itself', () => {
    const { lines, log } = collected()
    const time = new FakeTime()
    const rated = new RatedLog(log, () => time.now())
    for (let i = 0; i < 300; i++) rated.warn({ code: 'UNAUTHORIZED' }, 'a request was refused')
    rated.warn({ code: 'BAD_HOST' }, 'a request was refused')
    rated.info({}, 'serving')
    expect(lines).toHaveLength(LINES + 2)
    rated.sweep(WINDOW_MS - 1)
    expect(lines).toHaveLength(LINES + 2)
    rated.sweep(WINDOW_MS)
    expect(lines.slice(LINES + 2)).toEqual([
      [
        'warn',
        { code: 'UNAUTHORIZED', more: 300 - LINES },
        'a request was refused: 280 more of these were not written',
      ],
    ])
  })

  it('are written again after their time, and nothing is kept back at the end', async () => {
    const { lines, log } = collected()
    const time = new FakeTime()
    const rated = new RatedLog(log, () => time.now())
    for (let i = 0; i < LINES + 3; i++) rated.error({ err: i }, 'a session failed')
    await time.run(WINDOW_MS)
    rated.error({ err: 'later' }, 'a session failed')
    expect(lines.slice(LINES).map(([, fields]) => fields)).toEqual([{ more: 3 }, { err: 'later' }])
    for (let i = 0; i < LINES + 3; i++) rated.error({}, 'a session failed')
    rated.end()
    expect(lines.at(-1)![1]).toEqual({ more: 4 })
  })
})

/** Where the server's output goes. */
const SINKS: Record<string, () => number | 'pipe'> = {
  'a device that is full': () => openSync('/dev/full', 'w'),
  'a pipe that nobody reads': () => 'pipe',
  'a disk that fills up': () => {
    const folder = mkdtempSync(join(tmpdir(), 'oneiro-full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder])
    closing.push(() => {
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true })
    })
    return openSync(join(folder, 'log'), 'a')
  },
}
const mayMount = process.getuid?.() === 0 && process.platform === 'linux'

describe('a server whose output is', () => {
  it.each(Object.keys(SINKS).filter((name) => mayMount || !name.includes('disk')))(
    '%s answers 200 refused requests, lives, and ends at SIGTERM',
    async (name) => {
      const port = await freePort()
      const sink = SINKS[name]!()
      const args = ['--world', TINY, '--port', `${port}`, '--threads', '1', '--max-sessions', '1']
      const [command, ...rest] = commandOf([...args, '--token', 'a-token-of-some-length'])
      const child = spawn(command!, rest, { stdio: ['ignore', sink, 'ignore'] })
      closing.push(() => child.kill('SIGKILL'))
      const exit = new Promise<number | null>((resolve) => child.on('exit', resolve))
      const get = async (path: string) => {
        const signal = AbortSignal.timeout(HANGS_MS)
        return (await fetch(`http://127.0.0.1:${port}${path}`, { signal }).catch(() => null))?.status ?? 0
      }
      await expect.poll(() => get('/readyz'), { timeout: PATIENCE, interval: 200 }).toBe(200)
      if (typeof sink === 'number') fill(sink)
      for (let i = 0; i < 200; i++) expect(await get('/metrics')).toBe(401)
      expect(await get('/healthz')).toBe(200)
      child.kill('SIGTERM')
      expect(
        await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, HANGS_MS, 'never'))]),
      ).toBe(0)
    },
    PATIENCE,
  )
})

/** Until there is no room for a byte. */
function fill(file: number): void {
  const take = throughFile(file)
  while (take('x'.repeat(1024))) {}
  while (take('x')) {}
}

it('a server that runs out of room for its log says later what was lost', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oneiro-log-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'log')
  const file = openSync(path, 'a')
  closing.push(() => closeSync(file))
  let full = true
  const take = throughFile(file)
  const sink = new LogSink((text) => !full && take(text))
  sink.write('gone\n')
  full = false
  sink.write('there\n')
  expect(readFileSync(path, 'utf8')).toMatch(/"lines":1,.*\nthere\n$/)
})
