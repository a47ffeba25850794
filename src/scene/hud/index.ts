export { createHud, type Hud } from './hud'
export type { Instruments, Series } from './instruments'
