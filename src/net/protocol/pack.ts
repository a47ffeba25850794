import { Packr } from 'msgpackr'

// Plain maps and no records or shared structures: every message stands alone. Typed arrays keep their class.
const packr = new Packr({ useRecords: false, moreTypes: true, mapsAsObjects: true })

/** A structured value as msgpack. */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value)
}

/** The value again. Throws on what is no msgpack. */
export function unpack(bytes: Uint8Array): unknown {
  // A copy: the unpacker keeps references to what it reads, and a socket's buffer is used again.
  return packr.unpack(new Uint8Array(bytes))
}
