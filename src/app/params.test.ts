import { describe, expect, it } from 'vitest'
import { checkServer, isNear, parseSeed, parseServer, readParams, shareUrl } from './params'

const read = (search: string) => readParams(search, '/assets/drive/', 'https://oneiro.test/page')

describe('readParams', () => {
  it('plays the dream in real time from the shipped assets when the address says nothing', () => {
    const { params, notices } = read('')
    expect(params).toEqual({
      view: 'dream',
      backend: 'auto',
      clock: 'realtime',
      seed: null,
      prompt: null,
      start: null,
      assets: 'https://oneiro.test/assets/drive/',
      server: null,
      token: null,
      hud: false,
      stage: 'auto',
      cruise: true,
      assist: true,
      bleed: false,
      sound: false,
      run: null,
      moment: null,
    })
    expect(notices).toEqual([])
  })

  it('keeps to what was chosen on an earlier visit, unless the address says another', () => {
    const again = (search: string) =>
      readParams(search, '/a/', 'https://oneiro.test/', '', { assist: false, bleed: true })
    expect(again('').params).toMatchObject({ assist: false, bleed: true })
    expect(again('?assist=1&bleed=0').params).toMatchObject({ assist: true, bleed: false })
    expect(again('?assist=yes').params.assist).toBe(false)
    expect(again('?assist=yes').notices[0]!.sentence).toContain('assist is one of 0, 1')
    expect(read('?clock=lockstep').params.assist).toBe(false)
  })

  it('reads every field and resolves the assets folder', () => {
    const { params } = read(
      '?world=both&backend=wasm&clock=lockstep&seed=42&prompt=%20snow%20&start=meadow-noon&assets=../tiny&hud=1',
    )
    expect(params).toMatchObject({
      view: 'both',
      backend: 'wasm',
      clock: 'lockstep',
      seed: 42,
      prompt: 'snow',
      start: 'meadow-noon',
      hud: true,
    })
    expect(params.assets).toBe('https://oneiro.test/tiny/')
    expect(params.cruise).toBe(false)
  })

  it('falls back and says so in a sentence where a value is not understood', () => {
    const { params, notices } = read('?world=Night%20mare&seed=-3')
    expect(params.view).toBe('dream')
    expect(params.seed).toBeNull()
    expect(notices.map((n) => n.name)).toEqual(['seed', 'world'])
    expect(notices[1]?.sentence).toContain('world=Night mare')
  })
})

describe('a world by its name', () => {
  it('is a folder beside the one that ships', () => {
    const { params, notices } = read('?world=snake')
    expect(params).toMatchObject({ view: 'dream', assets: 'https://oneiro.test/assets/snake/' })
    expect(notices).toEqual([])
    for (const bad of ['../drive', 'a/b', '', 'https://elsewhere.test'])
      expect(read(`?world=${encodeURIComponent(bad)}`).params.assets).toBe(read('').params.assets)
  })

  it('stays in a link that is shared', () => {
    const drive = { view: 'dream', seed: 9, prompt: '', start: null } as const
    const url = new URL(shareUrl('https://oneiro.test/page?world=snake', drive))
    expect(read(url.search).params).toMatchObject({ seed: 9, assets: 'https://oneiro.test/assets/snake/' })
  })
})

describe('what an address may bring', () => {
  it('says so where the folder of a world is none', () => {
    for (const bad of ['http://', '//']) {
      const { params, notices } = read(`?assets=${encodeURIComponent(bad)}`)
      expect(params.assets).toBe(read('').params.assets)
      expect(notices.map((n) => n.name)).toEqual(['assets'])
    }
  })

  it('takes for near only the host of the page and this machine', () => {
    for (const near of ['ws://localhost:7700', 'ws://127.0.0.1:1', 'ws://[::1]:1', 'wss://play.example/x'])
      expect(isNear(near, 'play.example')).toBe(true)
    for (const far of ['wss://stranger.example', 'ws://127.0.0.1.stranger.example', 'ws://localhost.example'])
      expect(isNear(far, 'play.example')).toBe(false)
  })
})

describe('parseSeed', () => {
  it('takes non-negative safe integers only', () => {
    expect(parseSeed(' 12 ')).toBe(12)
    for (const bad of ['', '-1', '1.5', 'abc', '1e3', '99999999999999999999'])
      expect(parseSeed(bad)).toBeNull()
  })
})

describe('shareUrl', () => {
  it('reads back as the same drive', () => {
    const url = shareUrl('https://oneiro.test/page?backend=wasm', {
      view: 'both',
      seed: 9,
      prompt: 'fog & rain',
      start: null,
    })
    expect(read(new URL(url).search).params).toMatchObject({
      view: 'both',
      seed: 9,
      prompt: 'fog & rain',
      backend: 'wasm',
    })
  })
})

describe('a server on a page that came over https', () => {
  it('is reached over wss:// where nothing else is said, and on this machine over ws://', () => {
    expect(parseServer('box:7700', 'https:')).toBe('wss://box:7700')
    expect(parseServer('localhost:7700', 'https:')).toBe('ws://localhost:7700')
    expect(parseServer('box:7700', 'http:')).toBe('ws://box:7700')
  })

  it('is refused over ws://, in a sentence that says what to give', () => {
    expect(() => checkServer('ws://box:7700', 'https:')).toThrow(/Give wss:\/\/box:7700/)
    for (const [server, page] of [
      ['wss://box:7700', 'https:'],
      ['ws://127.0.0.1:7700', 'https:'],
      ['ws://box:7700', 'http:'],
    ] as const) {
      expect(() => checkServer(server, page)).not.toThrow()
    }
  })
})
