import { describe, expect, it } from 'vitest'
import { BadInputError } from '../../src/engine/errors'
import { gateOf, isAnywhere, isLoopback, whyRefused } from './gate'

const local = gateOf({ host: 'localhost' })
const open = gateOf({ host: 'dreams.example', origins: ['https://page.example'] })
const anywhere = gateOf({ host: '0.0.0.0' })
const named = gateOf({ host: '::', hosts: ['Box'], origins: ['http://Box:4173/'] })

describe('the gate', () => {
  it.each([
    ['a script on this machine', local, { host: 'localhost:7700' }, null],
    ['the address as a number', local, { host: '127.0.0.1:7700' }, null],
    ['the address of IPv6', local, { host: '[::1]:7700' }, null],
    ['a page of this machine', local, { host: 'localhost:7700', origin: 'http://localhost:5173' }, null],
    ['a page of a stranger', local, { host: 'localhost:7700', origin: 'https://evil.example' }, 'BAD_ORIGIN'],
    ['a page without an origin of its own', local, { host: 'localhost:7700', origin: 'null' }, 'BAD_ORIGIN'],
    ['a name that was pointed here', local, { host: 'evil.example:7700' }, 'BAD_HOST'],
    ['that name, and its page', local, { host: 'evil.example', origin: 'http://evil.example' }, 'BAD_HOST'],
    ['no host', local, {}, 'BAD_HOST'],
    ['a host that is none', local, { host: 'local host' }, 'BAD_HOST'],
    ['a script from outside', open, { host: 'dreams.example' }, null],
    ["the server's own page", open, { host: 'dreams.example', origin: 'https://dreams.example' }, null],
    ['a page that is allowed', open, { host: 'dreams.example', origin: 'https://page.example' }, null],
    ['its neighbour', open, { host: 'dreams.example', origin: 'https://page.example.evil' }, 'BAD_ORIGIN'],
    ['a page of the visitor', open, { host: 'dreams.example', origin: 'http://localhost' }, 'BAD_ORIGIN'],
    ['loopback by name', open, { host: 'localhost' }, 'BAD_HOST'],
    ['an address that is not its own', open, { host: '10.0.0.7:7700' }, 'BAD_HOST'],
    ['an address, where it listens on all', anywhere, { host: '10.0.0.7:7700' }, null],
    ['one of IPv6', anywhere, { host: '[fe80::1]:7700' }, null],
    ['this machine itself', anywhere, { host: 'localhost:7700' }, null],
    ['a name that nobody told it', anywhere, { host: 'box:7700' }, 'BAD_HOST'],
    ['a name that begins as an address', anywhere, { host: '10.0.0.7.evil.example' }, 'BAD_HOST'],
    ['a page of a stranger, by address', anywhere, { host: '10.0.0.7', origin: 'http://evil' }, 'BAD_ORIGIN'],
    ['a page of another port', anywhere, { host: '10.0.0.7', origin: 'http://10.0.0.7:4173' }, 'BAD_ORIGIN'],
    ['a page of the visitor', anywhere, { host: '10.0.0.7', origin: 'http://localhost' }, 'BAD_ORIGIN'],
    ['a name that it was told', named, { host: 'box:7700' }, null],
    ['a page of that name', named, { host: 'box:7700', origin: 'http://box:4173' }, null],
    ['the same, by address', named, { host: '10.0.0.7:7700', origin: 'http://box:4173' }, null],
    ['the same over TLS', named, { host: 'box:7700', origin: 'https://box:4173' }, 'BAD_ORIGIN'],
  ])('%s', (_who, options, headers, why) => {
    expect(whyRefused(headers, options)).toBe(why)
  })

  it.each([
    ['fe80::1', '[fe80::1]'],
    ['FE80:0::1%eth0', '[fe80::1]'],
    ['[fe80::1]', '[fe80::1]'],
    ['Dreams.Example', 'dreams.example'],
    ['dreams.example:7700', 'dreams.example'],
  ])('takes the name %s for what a browser says, %s', (name, said) => {
    expect(gateOf({ host: name }).hosts).toEqual([said])
    expect(gateOf({ host: '10.0.0.7', hosts: [name] }).hosts).toEqual(['10.0.0.7', said])
  })

  it('takes an origin for what a browser says, and that of an app as it is', () => {
    const { origins } = gateOf({ host: 'box', origins: ['HTTPS://Page.Example:443/', 'app://oneiro'] })
    expect(origins).toEqual(['https://page.example', 'app://oneiro'])
  })

  it.each([
    [
      { host: 'box', hosts: ['ws://box'] },
      /a name or an address such as dreams\.example, but "ws:\/\/box" came/,
    ],
    [{ host: 'box', hosts: ['my box'] }, /"my box" came/],
    [{ host: '' }, /"" came/],
    [
      { host: 'box', origins: ['page.example'] },
      /such as https:\/\/example\.org was expected, but "page\.example"/,
    ],
    // Any page can have it, by a frame without an origin.
    [{ host: 'box', origins: ['null'] }, /"null" came/],
  ])('refuses what is none: %o', (reach, sentence) => {
    expect(() => gateOf(reach)).toThrow(BadInputError)
    expect(() => gateOf(reach)).toThrow(sentence)
  })

  it('knows which addresses are all of them', () => {
    expect(['0.0.0.0', '::', '::0', '0:0:0:0:0:0:0:0'].every(isAnywhere)).toBe(true)
    expect(['127.0.0.1', '10.0.0.0', '::1', '', 'localhost'].some(isAnywhere)).toBe(false)
  })

  it('knows which addresses are of this machine only', () => {
    expect(['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '::1', '0::1'].every(isLoopback)).toBe(true)
    expect(['0.0.0.0', '::', '10.0.0.1', 'localhost.evil.example', '127.0.0.1.evil'].some(isLoopback)).toBe(
      false,
    )
  })
})
