import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Action, type Control, controlsSchema, spaceOf } from './controls'
import { BadInputError } from './errors'

const CONTROLS: readonly Control[] = [
  { name: 'run', kind: 'axis', values: [-1, 0, 0.5, 1], labels: ['back', 'walk', 'run'] },
  { name: 'jump', kind: 'button', keys: ['Space'], pad: ['button0'] },
  { name: 'look', kind: 'axis', values: [-1, 0, 1], keys: [['KeyQ'], ['KeyE']], pad: 'axis2' },
]
const space = spaceOf(CONTROLS)
const all = Array.from({ length: space.size }, (_, code) => space.action(code))

describe('the actions of a world', () => {
  test('are numbered, the last control by ones, and come back from their codes', () => {
    expect(space.size).toBe(4 * 2 * 3)
    expect(space.action(0)).toEqual({ run: -1, jump: 0, look: -1 })
    expect(space.action(1)).toEqual({ run: -1, jump: 0, look: 0 })
    expect(space.action(23)).toEqual({ run: 1, jump: 1, look: 1 })
    for (const [code, action] of all.entries()) {
      expect(space.code(action)).toBe(code)
      expect(() => space.check(action)).not.toThrow()
    }
    for (const code of [-1, 24, 1.5, Number.NaN]) expect(() => space.action(code)).toThrow(BadInputError)
  })

  test('idle is everything at rest, and the same object each time', () => {
    expect(space.idle).toEqual({ run: 0, jump: 0, look: 0 })
    expect(space.action(space.code(space.idle))).toBe(space.idle)
    expect(spaceOf(CONTROLS)).toBe(space)
  })

  test.each<[string, unknown, RegExp]>([
    ['a control that is unknown', { ...space.idle, brake: 1 }, /"brake" came/],
    [
      'a control that is left out',
      { run: 0, jump: 0 },
      /"look" of an action is -1, 0, 1, but undefined came/,
    ],
    ['a value that is not allowed', { ...space.idle, run: 0.75 }, /"run" .* -1, 0, 0.5, 1, but 0.75 came/],
    ['no number', { ...space.idle, jump: Number.NaN }, /"jump" .* but NaN came/],
    ['true', { ...space.idle, jump: true }, /"jump" of an action is 0, 1, but true came/],
    ['a list', [0, 0, 0], /a list came/],
  ])('%s is refused with a sentence', (_, action, sentence) => {
    expect(() => space.check(action as Action)).toThrow(BadInputError)
    expect(() => space.check(action as Action)).toThrow(sentence)
  })

  test('are told to a student as numbers or as one-hot places', () => {
    const action = { run: 0.5, jump: 1, look: -1 }
    const numbers = new Float32Array(space.dims('number') + 1)
    space.encode(action, 'number', numbers)
    expect([...numbers]).toEqual([0.5, 1, -1, 0])
    const places = new Float32Array(space.dims('one-hot'))
    space.encode(action, 'one-hot', places)
    expect([...places]).toEqual([0, 0, 1, 0, 0, 1, 1, 0, 0])
  })

  test('no two are told alike, whatever the encoding', () => {
    for (const encoding of ['number', 'one-hot'] as const) {
      const told = all.map((action) => {
        const out = new Float32Array(space.dims(encoding))
        space.encode(action, encoding, out)
        return out.join()
      })
      expect(new Set(told).size).toBe(space.size)
    }
  })

  test('moves are what keys, pads and fingers ask for', () => {
    expect(space.moves.map(({ id, label, keys, pad }) => [id, label, keys.join(), pad.join()])).toEqual([
      ['run-1', 'back', '', ''],
      ['run0.5', 'walk', '', ''],
      ['run1', 'run', '', ''],
      ['jump', 'jump', 'Space', 'button0'],
      ['look-1', 'look -1', 'KeyQ', 'axis2-'],
      ['look1', 'look 1', 'KeyE', 'axis2+'],
    ])
  })
})

describe('controls of a manifest', () => {
  const axis = { name: 'x', kind: 'axis', values: [-1, 0, 1] }
  test.each<[string, unknown, RegExp]>([
    ['none', [], /1 item|>=1/],
    ['two of one name', [axis, axis], /two controls "x"/],
    ['an axis that never rests', [{ ...axis, values: [1, 2] }], /rests at 0/],
    ['a value twice', [{ ...axis, values: [0, 1, 1] }], /twice/],
    ['too few keys', [{ ...axis, keys: [['KeyA']] }], /2 are needed/],
    ['a stick for more than two ways', [{ ...axis, values: [0, 1, 2, 3], pad: 'axis0' }], /two ways/],
    ['an unknown kind', [{ name: 'x', kind: 'wheel' }], /kind/],
    ['a misspelt field', [{ ...axis, key: [] }], /key/],
    ['a name that is none', [{ ...axis, name: '__proto__' }], /name/],
    [
      'too many actions',
      Array.from({ length: 9 }, (_, i) => ({
        name: `a${i}`,
        kind: 'axis',
        values: Array.from({ length: 16 }, (_, v) => v),
      })),
      /at most 4294967296/,
    ],
  ])('%s: refused', (_, controls, sentence) => {
    const result = controlsSchema.safeParse(controls)
    const issues = result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    expect(issues?.join()).toMatch(sentence)
  })
})

test('for any controls, codes and actions go to and fro', () => {
  const control = fc.oneof(
    fc.constant({ kind: 'button' } as const),
    fc.record({
      kind: fc.constant('axis' as const),
      values: fc
        .uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 })
        .map((v) => [0, ...v]),
    }),
  )
  fc.assert(
    fc.property(fc.array(control, { minLength: 1, maxLength: 8 }), fc.nat(), (kinds, any) => {
      const controls = controlsSchema.parse(kinds.map((kind, i) => ({ name: `c${i}`, ...kind })))
      const { size } = spaceOf(controls)
      const action = spaceOf(controls).action(any % size)
      spaceOf(controls).check(action)
      expect(spaceOf(controls).code(action)).toBe(any % size)
    }),
  )
})
