import { GLYPHS, h, icon, letGoAfter, setText } from '../app/ui/dom'
import type { Commands } from './commands'
import { type ArenaState, type ArenaStore, asked } from './store'
import { QUESTIONS, type Question, VERDICTS, type Verdict } from './votes'

export const ASKED: Readonly<Record<Question, string>> = {
  quality: 'Which looks better?',
  following: 'Which follows the words better?',
}

const ANSWERS: Readonly<
  Record<Verdict, { readonly label: string; readonly glyph: string; readonly key: string }>
> = {
  left: { label: 'left', glyph: GLYPHS.left, key: '←' },
  neither: { label: "can't tell", glyph: GLYPHS.down, key: '↓' },
  right: { label: 'right', glyph: GLYPHS.right, key: '→' },
}

/** The two questions of a round. Arrow keys answer the one that is lit. */
export function createBallot(store: ArenaStore, commands: Commands): HTMLElement {
  const rows = QUESTIONS.map((question) => createRow(question, commands))
  const next = h<'button'>(
    'button.pill.primary.ballot-next',
    { type: 'button', title: 'Next round (Enter)', onclick: commands.next },
    'Next round',
  )
  const hint = h('p.ballot-hint')
  const render = (state: ArenaState) => {
    const now = asked(state)
    for (const row of rows) row.render(state, now)
    next.disabled = !QUESTIONS.every((question) => state.answers[question] !== null)
    setText(hint, hintFor(state, now))
  }
  render(store.getState())
  store.subscribe(render)
  return h(
    'section.ballot',
    { 'aria-label': 'Your vote' },
    ...rows.map(({ element }) => element),
    h('div.ballot-end', {}, hint, next),
  )
}

function hintFor({ phase, seen, answers }: ArenaState, now: Question | null): string {
  if (phase !== 'showing') return ''
  if (!seen) return 'Watch both to the end once'
  if (now)
    return answers[QUESTIONS[0]] === null ? '← ↓ → answer, Space plays again' : '⌫ takes an answer back'
  return 'Enter goes on, ⌫ takes back'
}

function createRow(question: Question, commands: Commands) {
  const buttons = VERDICTS.map((verdict) => {
    const { label, glyph, key } = ANSWERS[verdict]
    const button = h<'button'>(
      `button.verdict.verdict-${verdict}`,
      {
        type: 'button',
        role: 'radio',
        title: `${label} (${key})`,
        'data-verdict': verdict,
        onclick: (event: MouseEvent) => {
          letGoAfter(event)
          commands.answer(verdict, question)
        },
      },
      icon(glyph),
      label,
    )
    return { verdict, button }
  })
  const name = `ask-${question}`
  const element = h(
    'div.ballot-row',
    { 'data-question': question },
    h('h2.ballot-question', { id: name }, ASKED[question]),
    h(
      'div.verdicts',
      { role: 'radiogroup', 'aria-labelledby': name },
      ...buttons.map(({ button }) => button),
    ),
  )
  const render = ({ seen, answers }: ArenaState, now: Question | null) => {
    element.classList.toggle('asked', question === now)
    for (const { verdict, button } of buttons) {
      button.disabled = !seen
      button.setAttribute('aria-checked', String(answers[question] === verdict))
    }
  }
  return { element, render }
}
