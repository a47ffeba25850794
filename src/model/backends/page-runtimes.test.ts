import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { unpacked } from './page-runtimes'

const CODE = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251)

describe('a packed runtime', () => {
  it('is unpacked', async () => {
    expect(await unpacked(Uint8Array.from(gzipSync(CODE)))).toEqual(CODE)
  })

  it('may have been unpacked by the browser already', async () => {
    expect(await unpacked(CODE)).toEqual(CODE)
  })
})
