import type { Question, Verdict } from './votes'

export interface ResultCommands {
  closeResults(): void
  exportVotes(): void
  forget(): void
}

/** Everything a person can ask the arena for. */
export interface Commands extends ResultCommands {
  answer(verdict: Verdict, question?: Question): void
  takeBack(): void
  next(): void
  again(): void
  retry(): void
  toggleResults(): void
}
