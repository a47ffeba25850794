/** What can be done in a world: its controls, declared in its manifest, and the actions that follow from them. */

import { BadInputError } from './errors'
import { checkFields, shown } from './fields'
import { z } from './schema'

const name = z.string().check(z.regex(/^[A-Za-z]\w{0,31}$/, 'a name of letters, digits and "_"'))
const label = z.string().check(z.minLength(1), z.maxLength(32))
/** By `KeyboardEvent.code`, so that a key is where the fingers are on every layout. */
const keys = z.array(z.string().check(z.minLength(1), z.maxLength(32))).check(z.maxLength(8))
/** Of a gamepad with the standard mapping: a button, or a stick pushed one way. */
const input = z.string().check(z.regex(/^(button\d{1,2}|axis\d[+-])$/, 'is like "button0" or "axis0-"'))
const pad = z.array(input).check(z.maxLength(8))

const axis = z.strictObject({
  name,
  kind: z.literal('axis'),
  values: z.array(z.number()).check(z.minLength(2), z.maxLength(256)),
  labels: z.optional(z.array(label)),
  keys: z.optional(z.array(keys)),
  pad: z.optional(z.union([z.string().check(z.regex(/^axis\d$/)), z.array(pad)])),
})
const button = z.strictObject({
  name,
  kind: z.literal('button'),
  label: z.optional(label),
  keys: z.optional(keys),
  pad: z.optional(pad),
})

/** Different actions at most: the code of one fits 32 bits. */
const MOST_ACTIONS = 2 ** 32

/**
 * One thing that can be done in a world, as its manifest declares it. Keys go by `KeyboardEvent.code`, so that they are where
 * the fingers are on every layout; inputs of a pad are those of a gamepad with the standard mapping.
 *
 * @example
 * const run: Control = { name: 'run', kind: 'axis', values: [-1, 0, 1], keys: [['ArrowLeft'], ['ArrowRight']], pad: 'axis0' }
 * const jump: Control = { name: 'jump', kind: 'button', keys: ['Space'], pad: ['button0'] }
 */
export type Control = Axis | Button

/** Has one of several values; each but 0 has keys and inputs of its own, in the order of `values`. */
interface Axis {
  readonly name: string
  readonly kind: 'axis'
  /** What it can be set to; 0, where it rests, is among them. */
  readonly values: readonly number[]
  /** In a word or two each, for help and touch pads. */
  readonly labels?: readonly string[] | undefined
  readonly keys?: readonly (readonly string[])[] | undefined
  /** Like `button0` or `axis0-`. `axis0` alone is short for `[['axis0-'], ['axis0+']]`. */
  readonly pad?: string | readonly (readonly string[])[] | undefined
}

/** Is held, or is not. */
interface Button {
  readonly name: string
  readonly kind: 'button'
  readonly label?: string | undefined
  readonly keys?: readonly string[] | undefined
  readonly pad?: readonly string[] | undefined
}

/** Controls as manifests and welcome messages have them. */
export const controlsSchema: z.ZodMiniType<readonly Control[]> = z.readonly(
  z.array(z.discriminatedUnion('kind', [axis, button])).check(
    z.minLength(1),
    z.maxLength(32),
    z.superRefine((controls: readonly Control[], context) => {
      const refuse = (message: string, ...path: (string | number)[]) =>
        context.addIssue({ code: 'custom', path, message })
      const names = new Set<string>()
      for (const [i, control] of controls.entries()) {
        if (names.has(control.name)) refuse(`there are two controls "${control.name}"`, i)
        names.add(control.name)
        if (control.kind === 'button') continue
        const { values } = control
        if (!values.includes(0)) refuse('an axis rests at 0, but 0 is none of its values', i, 'values')
        if (new Set(values).size < values.length) refuse('a value came twice', i, 'values')
        for (const field of ['labels', 'keys', 'pad'] as const) {
          const each = control[field]
          if (Array.isArray(each) && each.length !== values.length - 1)
            refuse(`${values.length - 1} are needed, one for each value but 0`, i, field)
        }
        if (typeof control.pad === 'string' && values.length !== 3)
          refuse('a stick has two ways; name the inputs of each value', i, 'pad')
      }
      const size = controls.reduce((size, control) => size * valuesOf(control).length, 1)
      if (size > MOST_ACTIONS)
        refuse(`they make ${size} different actions, but at most ${MOST_ACTIONS} are allowed`)
    }),
  ),
)

/**
 * One tick's input: the value of every control, by its name. A button is 1 while it is held, else 0.
 *
 * @example
 * await world.step({ jump: 1, run: -1 })
 */
export type Action = Readonly<Record<string, number>>

/** How a student is told of an action: each control's value as it is, or a 1 at the place of that value. */
export type ActionEncoding = 'number' | 'one-hot'

/** One control away from rest: what a key, a part of a pad or a finger can ask for. */
export interface Move {
  /** For example `jump` or `run-1`; no other move of its world has it. */
  readonly id: string
  readonly control: string
  readonly value: number
  /** In a word or two, for help and touch pads. */
  readonly label: string
  readonly keys: readonly string[]
  readonly pad: readonly string[]
}

function valuesOf(control: Control): readonly number[] {
  return control.kind === 'button' ? [0, 1] : control.values
}

function movesOf(control: Control): Move[] {
  const { name } = control
  if (control.kind === 'button') {
    const { label = name, keys = [], pad = [] } = control
    return [{ id: name, control: name, value: 1, label, keys, pad }]
  }
  const { labels, keys, pad } = control
  const pads = typeof pad === 'string' ? [[`${pad}-`], [`${pad}+`]] : pad
  return control.values
    .filter((value) => value !== 0)
    .map((value, i) => ({
      id: `${name}${value}`,
      control: name,
      value,
      label: labels?.[i] ?? `${name} ${value}`,
      keys: keys?.[i] ?? [],
      pad: pads?.[i] ?? [],
    }))
}

/** The actions of a world: checked, numbered, and encoded for its student. Get one by `spaceOf`. */
export class ActionSpace {
  /** How many different actions there are. */
  readonly size: number
  /** Nothing held. */
  readonly idle: Action
  /** In the order of the controls and their values. */
  readonly moves: readonly Move[]
  private readonly names: readonly string[]
  private readonly values: readonly (readonly number[])[]
  /** Those that were asked for: the same code gives the same object. */
  private readonly made = new Map<number, Action>()

  constructor(readonly controls: readonly Control[]) {
    this.names = controls.map(({ name }) => name)
    this.values = controls.map(valuesOf)
    this.size = this.values.reduce((size, values) => size * values.length, 1)
    this.moves = controls.flatMap(movesOf)
    this.idle = this.action(this.code(Object.fromEntries(this.names.map((name) => [name, 0]))))
  }

  /** Throws `BadInputError` unless it has every control, each at a value of its own, and nothing else. */
  check(action: Action): void {
    checkFields('An action of this world', action, this.names)
    for (const [i, values] of this.values.entries()) {
      const name = this.names[i]!
      const value: unknown = action[name]
      if (values.includes(value as number)) continue
      const allowed = values.length > 9 ? `one of ${values.length} numbers` : values.join(', ')
      throw new BadInputError(`"${name}" of an action is ${allowed}, but ${shown(value)} came.`)
    }
  }

  /** The action as an integer from 0 to `size` - 1; the last control counts by ones. The action must be a checked one. */
  code(action: Action): number {
    let code = 0
    for (const [i, values] of this.values.entries()) {
      code = code * values.length + values.indexOf(action[this.names[i]!]!)
    }
    return code
  }

  /** Inverse of {@link code}. Throws `BadInputError` where there is no such action. */
  action(code: number): Action {
    const known = this.made.get(code)
    if (known) return known
    if (!Number.isInteger(code) || code < 0 || code >= this.size) {
      throw new BadInputError(
        `This world has actions 0 to ${this.size - 1}, but ${shown(code)} came. Is it of another world?`,
      )
    }
    let rest = code
    const indices = this.values.map(() => 0)
    for (let i = indices.length - 1; i >= 0; i--) {
      indices[i] = rest % this.values[i]!.length
      rest = Math.floor(rest / this.values[i]!.length)
    }
    const action = Object.freeze(
      Object.fromEntries(this.names.map((name, i) => [name, this.values[i]![indices[i]!]!])),
    )
    if (this.made.size < MOST_KEPT) this.made.set(code, action)
    return action
  }

  hasMove(id: string): boolean {
    return this.moves.some((move) => move.id === id)
  }

  /** Floats of an encoded action. */
  dims(encoding: ActionEncoding): number {
    if (encoding === 'number') return this.names.length
    return this.values.reduce((sum, values) => sum + values.length, 0)
  }

  /** Writes a checked action into the first `dims` floats of `out`. */
  encode(action: Action, encoding: ActionEncoding, out: Float32Array): void {
    let at = 0
    for (const [i, values] of this.values.entries()) {
      const value = action[this.names[i]!]!
      if (encoding === 'number') out[at++] = value
      else for (const one of values) out[at++] = one === value ? 1 : 0
    }
  }
}

const MOST_KEPT = 1024
const spaces = new WeakMap<readonly Control[], ActionSpace>()

/**
 * The actions of a world with these controls. The same array gives the same object.
 *
 * @example
 * const space = spaceOf(world.info.controls)
 * await world.step(space.action(3)) // of 0 to space.size - 1; space.idle holds nothing
 */
export function spaceOf(controls: readonly Control[]): ActionSpace {
  const space = spaces.get(controls) ?? new ActionSpace(controls)
  spaces.set(controls, space)
  return space
}
