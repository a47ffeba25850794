/** What a body holds, known from its msgpack headers alone. */

/** Keys, values and elements of a body. The fullest message but a welcome has some 40. */
export const MOST_ITEMS = 256

/** `undefined` and typed arrays, as `pack` writes them. Of the other kinds some hold values of their own, uncounted. */
const EXTENSIONS = [0x00, 0x74]

/**
 * Whether a body has no more than `most` keys, values and elements. Builds nothing and reads no further than that, so
 * it costs the same whatever was sent. Throws on what is not one value that `pack` could have made.
 */
export function holdsFew(bytes: Uint8Array, most = MOST_ITEMS): boolean {
  const headers = new HeaderReader(bytes)
  let promised = 1
  // In the order of the bytes: how deep a value lies does not matter.
  for (let item = 0; item < promised; item++) {
    promised += headers.next()
    if (promised > most) return false
  }
  headers.end()
  return true
}

/** https://github.com/msgpack/msgpack/blob/master/spec.md, header by header. */
class HeaderReader {
  private readonly view: DataView
  private at = 0

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Goes to the next header, and says how many values the one passed holds. */
  next(): number {
    const token = this.number(1)
    if (token < 0x80 || token >= 0xe0) return 0
    if (token < 0x90) return 2 * (token & 0x0f)
    if (token < 0xa0) return token & 0x0f
    if (token < 0xc0) return this.skip(token & 0x1f)
    switch (token) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return 0
      case 0xc4:
      case 0xd9:
        return this.skip(this.number(1))
      case 0xc5:
      case 0xda:
        return this.skip(this.number(2))
      case 0xc6:
      case 0xdb:
        return this.skip(this.number(4))
      case 0xc7:
        return this.extension(this.number(1))
      case 0xc8:
        return this.extension(this.number(2))
      case 0xc9:
        return this.extension(this.number(4))
      case 0xcc:
      case 0xd0:
        return this.skip(1)
      case 0xcd:
      case 0xd1:
        return this.skip(2)
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.skip(4)
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.skip(8)
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(2 ** (token - 0xd4))
      case 0xdc:
        return this.number(2)
      case 0xdd:
        return this.number(4)
      case 0xde:
        return 2 * this.number(2)
      case 0xdf:
        return 2 * this.number(4)
      default:
        throw new Error(`no value begins with the byte ${token}`)
    }
  }

  end(): void {
    const { byteLength } = this.view
    if (this.at !== byteLength) throw new Error(`the values end at byte ${this.at} of ${byteLength}`)
  }

  private extension(length: number): number {
    const type = this.number(1)
    if (!EXTENSIONS.includes(type)) throw new Error(`no message has the extension ${type}`)
    return this.skip(length)
  }

  private number(size: 1 | 2 | 4): number {
    const { at, view } = this
    this.at += size
    if (size === 1) return view.getUint8(at)
    return size === 2 ? view.getUint16(at) : view.getUint32(at)
  }

  private skip(length: number): number {
    this.at += length
    return 0
  }
}
