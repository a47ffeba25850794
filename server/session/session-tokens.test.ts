import { describe, expect, it } from 'vitest'
import { SessionTokens } from './session-tokens'

describe('session tokens', () => {
  it('open the session that they were given for, and nothing else', () => {
    const tokens = new SessionTokens()
    const a = tokens.rotate('a')
    const b = tokens.rotate('b')
    expect([tokens.find(a), tokens.find(b), tokens.find('guess'), tokens.find('')]).toEqual([
      'a',
      'b',
      undefined,
      undefined,
    ])
    expect(a).not.toBe(b)
    expect(a.length).toBeGreaterThanOrEqual(43)
  })

  it('rotate: the one before is good until the client is known to have the new one', () => {
    const tokens = new SessionTokens()
    const first = tokens.rotate('a')
    const second = tokens.rotate('a', first)
    expect([tokens.find(first), tokens.find(second)]).toEqual(['a', 'a'])
    tokens.confirm('a')
    expect([tokens.find(first), tokens.find(second)]).toEqual([undefined, 'a'])
  })

  it('a welcome that was lost twice still leaves a way in', () => {
    const tokens = new SessionTokens()
    const first = tokens.rotate('a')
    const lost = tokens.rotate('a', first)
    const second = tokens.rotate('a', first)
    expect([tokens.find(first), tokens.find(lost), tokens.find(second)]).toEqual(['a', undefined, 'a'])
  })

  it('leave nothing behind', () => {
    const tokens = new SessionTokens()
    const first = tokens.rotate('a')
    tokens.rotate('a', first)
    tokens.drop('a')
    tokens.drop('a')
    expect(tokens.size).toBe(0)
    expect(tokens.find(first)).toBeUndefined()
  })
})
