export const MOON = 0xf1e4c8
export const PAPER = 0xf6f3ec
export const WARM = 0xf3a36a
export const INK = 0x0d0f15
/** On what is lit. */
export const DARK = 0x17130a
/** One colour a stage, in the order they first appear. */
export const STAGES = [0x9cc3e6, 0xf1e4c8, 0xb9a3e3, 0x93d3b4, 0xe8a9a0] as const
export const FONT = 'Geist Variable, system-ui, sans-serif'
