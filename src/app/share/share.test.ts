import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { writeActionLog } from '../../engine/action-log'
import { FakeWorld, IDLE } from '../../engine/testing/fake-world'
import { Timeline } from '../../engine/timeline'
import type { Player } from '../player/player'
import { createAppStore } from '../store'
import { Sharing } from '.'
import { beginningIn } from './moment'

const HERE = 'https://oneiro.test/?hud=1&seed=3&prompt=fog&start=here&run=2026-11-29'
let copied: string[]
beforeEach(() => {
  copied = []
  vi.stubGlobal('location', { href: HERE })
  vi.stubGlobal('navigator', { clipboard: { writeText: async (text: string) => void copied.push(text) } })
})
afterEach(() => vi.unstubAllGlobals())

async function setup(playing = true) {
  const world = new Timeline(new FakeWorld())
  await world.reset({ seed: 7, prompt: { text: 'rain' } })
  await world.step(IDLE)
  const store = createAppStore({ seed: 7, prompt: 'rain' })
  const calls: string[] = []
  const player = {
    ...{ world, playing, log: () => world.log() },
    continueFrom: async () => {
      calls.push('continueFrom')
      return { divergence: null }
    },
    play: () => calls.push('play'),
  }
  const sharing = new Sharing(store, player as unknown as Player, () => calls.push('leaving'))
  const said = () => store.getState().notices.map(({ text }) => text)
  const drive = new File([writeActionLog(world.log())], 'drive.json')
  return { sharing, store, calls, said, drive }
}

describe('a link', () => {
  it('to this moment has the whole beginning in its fragment, and nothing of another in its query', async () => {
    const { sharing, said } = await setup()
    await sharing.linkMoment()
    const { search, hash } = new URL(copied[0]!)
    expect(search).toBe('?hud=1')
    expect(await beginningIn(hash.slice('#m='.length))).toEqual({ seed: 7, prompt: 'rain' })
    expect(said()).toEqual(['The link to this moment is on the clipboard.'])
  })

  it('is in the address bar where the clipboard is closed', async () => {
    const { sharing, said } = await setup()
    const replaceState = vi.fn()
    vi.stubGlobal('navigator', { clipboard: { writeText: () => Promise.reject(new Error('no')) } })
    vi.stubGlobal('history', { replaceState })
    await sharing.linkDrive()
    expect(replaceState).toHaveBeenCalledWith(null, '', expect.stringMatching(/seed=7&prompt=rain/))
    expect(said()).toEqual(['The link to this drive is in the address bar.'])
  })
})

describe('a drive that is opened', () => {
  it.each([
    [true, ['leaving', 'continueFrom', 'play']],
    [false, ['leaving', 'continueFrom']],
  ])('goes on as the page did, playing: %s', async (playing, expected) => {
    const { sharing, calls, said, store, drive } = await setup(playing)
    await sharing.openFile(drive)
    expect(calls).toEqual(expected)
    expect(said()).toEqual([expect.stringMatching(/^1 ticks were dreamed again in/)])
    expect(store.getState().loading).toBeNull()
  })

  it('is refused with a sentence where it is too large or none, and the drive goes on', async () => {
    const { sharing, calls, said } = await setup()
    await sharing.openFile({ name: 'film.mp4', size: 65e6 } as File)
    await sharing.openFile(new File(['{}'], 'notes.json'))
    expect(said()).toEqual([
      expect.stringMatching(/"film.mp4" is too large to be a saved drive/),
      expect.stringMatching(/\w/),
    ])
    expect(calls).toEqual([])
  })
})
