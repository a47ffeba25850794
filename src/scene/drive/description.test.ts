import { expect, it } from 'vitest'
import { describeDrive } from './description'

const reading = { speed: 22, offset: 0.4, bendNear: 0, bendMiddle: 0 }

it('says how fast, what bend comes and where on the road', () => {
  expect(describeDrive(reading)).toBe('80 km/h, the road is straight, on the road.')
  expect(describeDrive({ ...reading, bendNear: 0.004, bendMiddle: 0.006 })).toBe(
    '80 km/h, a bend to the right, on the road.',
  )
  expect(describeDrive({ speed: 1, offset: -4, bendNear: -0.008, bendMiddle: -0.008 })).toBe(
    'Standing, a sharp bend to the left, close to the left edge.',
  )
  expect(describeDrive({ ...reading, offset: 7 })).toContain('off the road on the right')
})

it('says nothing where the instruments are not known', () => {
  expect(describeDrive(null)).toBeNull()
  expect(describeDrive({ speed: 3 })).toBeNull()
})
