import { describe, expect, it } from 'vitest'
import { isLoopback, whyRefused } from './gate'

const local = { hosts: ['localhost'], origins: [], loopback: true }
const open = { hosts: ['dreams.example'], origins: ['https://page.example'], loopback: false }

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
  ])('%s', (_who, options, headers, why) => {
    expect(whyRefused(headers, options)).toBe(why)
  })

  it('knows which addresses are of this machine only', () => {
    expect(['localhost', '127.0.0.1', '127.9.9.9', '::1'].every(isLoopback)).toBe(true)
    expect(['0.0.0.0', '::', '10.0.0.1', 'localhost.evil.example', '127.0.0.1.evil'].some(isLoopback)).toBe(
      false,
    )
  })
})
