import { createStore, type StoreApi } from 'zustand/vanilla'
import { failureFrom, sentenceOf } from '../app/failures'
import { QUESTIONS, type Question, type StudentTag, type Verdict, type Vote } from './votes'

/** What a person is told where the arena cannot go on. */
export interface Trouble {
  readonly code: string
  readonly title: string
  readonly sentence: string
}

export interface ArenaState {
  /** `setup`: a student is missing. `loading`: both are being opened. `dreaming`: a round is not ready. `showing`: it plays. */
  readonly phase: 'setup' | 'loading' | 'dreaming' | 'showing'
  readonly trouble: Trouble | null
  /** 0..1 of what is waited for. */
  readonly progress: number
  readonly round: number
  readonly prompt: string
  /** 0..1 of the clip. */
  readonly played: number
  /** The clip was seen to its end: votes are taken. */
  readonly seen: boolean
  readonly answers: Readonly<Record<Question, Verdict | null>>
  readonly votes: readonly Vote[]
  readonly pair: readonly [StudentTag, StudentTag] | null
  /** The results lie over the round. */
  readonly results: boolean
  readonly notices: readonly string[]
}

export type ArenaStore = StoreApi<ArenaState>

export const UNANSWERED: ArenaState['answers'] = { quality: null, following: null }

export function createArenaStore(overrides: Partial<ArenaState> = {}): ArenaStore {
  return createStore<ArenaState>(() => ({
    phase: 'setup',
    trouble: null,
    progress: 0,
    round: 0,
    prompt: '',
    played: 0,
    seen: false,
    answers: UNANSWERED,
    votes: [],
    pair: null,
    results: false,
    notices: [],
    ...overrides,
  }))
}

/** The question that the next key answers; null once all are answered, or before the clip was seen. */
export function asked({ seen, answers }: Pick<ArenaState, 'seen' | 'answers'>): Question | null {
  return seen ? (QUESTIONS.find((question) => answers[question] === null) ?? null) : null
}

/** The error's own sentence says what was expected and what to do; the page's words for its kind are the title. */
export function troubleFrom(error: unknown): Trouble {
  const { code, title } = failureFrom(error, false)
  return {
    code,
    title: code === 'BAD_INPUT' ? 'These two cannot be compared' : title,
    sentence: sentenceOf(error),
  }
}
