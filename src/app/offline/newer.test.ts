import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WorkerFailedError } from '../../model/errors'
import { explained, isOutdated, loadPart } from './newer'

const OWN = 'https://host/demo/app/index-OLD.js'

function serve(answer: () => Response | Promise<Response>) {
  const fetched = vi.fn(answer)
  vi.stubGlobal('fetch', fetched)
  return fetched
}
const files = (...names: string[]) => new Response(JSON.stringify(names.map((name) => `app/${name}`)))

beforeEach(() => void vi.stubEnv('PROD', true))
afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

describe('a build', () => {
  it('is outdated where the list of the server does not have it', async () => {
    const fetched = serve(() => files('index-NEW.js'))
    expect(await isOutdated(OWN)).toBe(true)
    expect(String(fetched.mock.calls[0]!.at(0))).toBe('https://host/demo/app/files.json')
    serve(() => files('index-OLD.js', 'hud.js'))
    expect(await isOutdated(OWN)).toBe(false)
  })

  it('is not where nobody can say', async () => {
    serve(() => new Response('', { status: 503 }))
    expect(await isOutdated(OWN)).toBe(false)
    serve(() => Promise.reject(new TypeError('offline')))
    expect(await isOutdated(OWN)).toBe(false)
  })
})

describe('a part that does not load', () => {
  const gone = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'))

  it('is said to be of a newer page, or to have got lost', async () => {
    vi.useFakeTimers()
    serve(() => files('index-NEW.js'))
    const newer = loadPart(gone).catch((error) => error)
    await vi.runAllTimersAsync()
    expect(await newer).toMatchObject({ code: 'NEWER_PAGE' })
    serve(() => new Response('', { status: 503 }))
    const lost = loadPart(gone).catch((error) => error)
    await vi.runAllTimersAsync()
    expect(await lost).toMatchObject({ code: 'PAGE_PART' })
    vi.useRealTimers()
  })

  it('explains a worker that did not start, and no other fault', async () => {
    serve(() => files('index-NEW.js'))
    expect(await explained(new WorkerFailedError(''))).toMatchObject({ code: 'NEWER_PAGE' })
    const other = new Error('no seed')
    expect(await explained(other)).toBe(other)
  })
})
