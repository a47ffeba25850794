const scratch = new DataView(new ArrayBuffer(4))

/** The nearest binary16, ties to even; what is too large becomes the largest finite number of its sign. */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  scratch.setFloat32(0, value)
  const sign = (scratch.getUint32(0) >>> 16) & 0x8000
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7bff
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  // log2 can land one too high or low beside a power of two.
  const power = 2 ** exponent > size ? exponent - 1 : 2 ** (exponent + 1) <= size ? exponent + 1 : exponent
  // A fraction that rounds up to 1024 carries into the exponent, which is right.
  return sign | (((power + 15) << 10) + roundEven((size / 2 ** power - 1) * 1024))
}

function roundEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1
  return floor
}
