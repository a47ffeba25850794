import { describe, expect, it } from 'vitest'
import { createAppStore } from '../store'
import { type Drive, Handover } from './handover'
import type { WorldPort } from './worlds'

const places = (server: { url: string } | null) =>
  new Handover(createAppStore(), {} as WorldPort, server, {} as Drive)

describe('Handover', () => {
  it('sends a device away that has been slow for three seconds, once, and only to a server it knows', () => {
    const known = places({ url: 'ws://there' })
    const heard = Array.from({ length: 200 }, () => known.tooSlow(true))
    expect(heard.indexOf(true)).toBe(59)
    expect(heard.filter(Boolean)).toHaveLength(1)
    const breathing = places({ url: 'ws://there' })
    expect(Array.from({ length: 200 }, (_, i) => breathing.tooSlow(i % 50 !== 0))).not.toContain(true)
    const alone = places(null)
    expect(Array.from({ length: 200 }, () => alone.tooSlow(true))).not.toContain(true)
  })

  it('names what is missing where no server was named', async () => {
    await expect(places(null).open('server', new AbortController().signal)).rejects.toThrow(
      'No server was named',
    )
  })
})
