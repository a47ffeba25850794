import { describe, expect, it, test } from 'vitest'
import { Addresses, mayFollow } from './addresses'

describe('a server may send a client', () => {
  it.each([
    ['ws://play.example', 'ws://other.example:7701', true],
    ['ws://play.example', 'wss://other.example', true],
    ['wss://play.example', 'wss://other.example', true],
    ['ws://localhost:1', 'ws://127.0.0.1:2', true],
    ['wss://play.example', 'ws://other.example', false],
    ['https://play.example', 'ws://other.example', false],
    ['ws://play.example', 'http://other.example', false],
    ['ws://play.example', 'javascript:alert(1)', false],
    ['ws://play.example', 'ws://me:secret@other.example', false],
    ['ws://play.example', 'ws://localhost:7700', false],
    ['wss://play.example', 'wss://127.0.0.1', false],
    ['ws://play.example', 'ws://[::1]:7700', false],
    ['ws://play.example', 'other.example', false],
  ])('from %s to %s: %s', (named, url, followed) => {
    expect(mayFollow(named, url)).toBe(followed)
  })
})

/** The next addresses that are tried, while all of them fail; `|` ends a round. */
function tries(addresses: Addresses, count: number): string {
  let said = ''
  for (let i = 0; i < count; i++)
    said += addresses.next.replace('ws://', '') + (addresses.failed() ? '|' : ' ')
  return said
}

describe('addresses in turn', () => {
  test('one alone is tried again and again', () => {
    expect(tries(new Addresses('ws://a'), 3)).toBe('a|a|a|')
  })

  test('first where the session was, then where the user pointed, then the others', () => {
    const addresses = new Addresses('ws://a')
    addresses.jump('ws://c')
    addresses.settled()
    addresses.learn(['ws://b', 'ws://a', 'http://evil'])
    expect(tries(addresses, 7)).toBe('c a b|c a b|c ')
  })

  test('where a server sends to is next, but two that send to and fro are not followed for ever', () => {
    const addresses = new Addresses('ws://a')
    addresses.settled()
    addresses.learn(['ws://b'])
    expect(addresses.jump('ws://b')).toBe(true)
    expect(addresses.next).toBe('ws://b')
    expect(addresses.jump('ws://a')).toBe(false)
    expect(tries(addresses, 2)).toBe('b b|')
    expect(addresses.jump('ws://c')).toBe(true)
    expect(tries(addresses, 3)).toBe('c b|a ')
  })

  test('a server that is not told of any more is tried last, as it may be back', () => {
    const addresses = new Addresses('ws://b')
    addresses.settled()
    addresses.learn(['ws://a', 'ws://c'])
    addresses.learn(['ws://c'])
    addresses.learn([])
    expect(tries(addresses, 4)).toBe('b c a|b ')
    addresses.jump('ws://d')
    addresses.settled()
    expect(tries(addresses, 4)).toBe('d b c a|')
  })

  test('so many are remembered, and no more', () => {
    const addresses = new Addresses('ws://a')
    addresses.settled()
    for (let i = 0; i < 50; i++) addresses.learn([`ws://w${i}`])
    expect(addresses.count).toBe(10)
    expect(tries(addresses, 3)).toBe('a w49 w48 ')
  })

  test('one that fell silent comes last in its round, and others are told from it', () => {
    const addresses = new Addresses('ws://a')
    addresses.settled()
    expect(addresses.hasOthers).toBe(false)
    addresses.avoid()
    expect(addresses.next).toBe('ws://a')
    addresses.learn(['ws://b', 'ws://c'])
    expect(addresses.hasOthers).toBe(true)
    addresses.avoid()
    expect(tries(addresses, 4)).toBe('b c a|a ')
  })

  test('without a session there is only the address that the user gave', () => {
    const addresses = new Addresses('ws://a')
    addresses.jump('ws://b')
    addresses.settled()
    addresses.learn(['ws://c'])
    addresses.forget()
    expect(tries(addresses, 2)).toBe('a|a|')
  })
})
