/** What the tests of the arena share. */
import type { Choices } from './plan'
import type { StudentTag, Vote } from './votes'

export const A: StudentTag = { name: 'drive', modelHash: 'aaaa' }
export const B: StudentTag = { name: 'other', modelHash: 'bbbb' }

export const CHOICES: Choices = {
  starts: [
    { id: 'snow-night', caption: 'snow at night' },
    { id: 'desert-noon', caption: 'sand at noon' },
    { id: 'forest-fog', caption: 'woods in mist' },
  ],
  prompts: ['a snowy night drive', 'a hot desert at noon', 'foggy morning in the woods'],
}

export function vote(fields: Partial<Vote> = {}): Vote {
  return {
    session: 7,
    round: 1,
    at: '2026-11-25T12:00:00.000Z',
    seed: 1_000_001,
    start: 'snow-night',
    prompt: 'a snowy night drive',
    ticks: 100,
    left: A,
    right: B,
    quality: 'left',
    following: 'neither',
    ...fields,
  }
}

export class FakeStorage {
  readonly kept = new Map<string, string>()
  full = false
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null
  }
  setItem(key: string, value: string): void {
    if (this.full) throw new Error('the quota has been exceeded')
    this.kept.set(key, value)
  }
}
