import { GLYPHS, h, iconButton } from '../app/ui/dom'
import { createSheet } from '../app/ui/focus'
import { ASKED } from './ballot'
import type { ResultCommands } from './commands'
import type { ArenaState, ArenaStore } from './store'
import { type Tally, tally } from './tally'
import { QUESTIONS, type StudentTag } from './votes'

/** What the votes add up to, over the round. */
export function createResults(store: ArenaStore, commands: ResultCommands): HTMLElement {
  const rows = h('div.results-rows')
  const close = iconButton('Close', 'Esc', GLYPHS.close, commands.closeResults)
  close.classList.add('help-close')
  const save = h<'button'>(
    'button.pill.primary',
    { type: 'button', onclick: commands.exportVotes },
    'Export as JSON',
  )
  const forget = forgetButton(commands)
  const sheet = h(
    'div.help-sheet.results',
    { role: 'dialog', 'aria-label': 'Results', 'aria-modal': 'true' },
    close,
    h('h2', {}, 'What you chose'),
    h(
      'p',
      {},
      'Best looked at when you are done: who knows which student leads no longer votes blind. Votes stay in this browser until you export them.',
    ),
    rows,
    h('div.failure-actions', {}, save, forget),
  )
  const host = h(
    'div.help',
    { onclick: (event: Event) => event.target === host && commands.closeResults() },
    sheet,
  )
  const show = createSheet(host, close)
  let shown: Pick<ArenaState, 'votes' | 'pair' | 'results'> | null = null
  const render = (state: ArenaState) => {
    const { votes, pair, results } = state
    if (shown && shown.votes === votes && shown.pair === pair && shown.results === results) return
    shown = { votes, pair, results }
    show(results)
    // Nothing of it lies in the page while it is closed: which student leads is not to be met by accident.
    if (!results) return rows.replaceChildren()
    if (!pair) return
    const tallies = QUESTIONS.map((question) => ({ question, sum: tally(votes, question, ...pair) }))
    rows.replaceChildren(...tallies.map(({ question, sum }) => createRow(ASKED[question], sum, pair)))
    save.disabled = forget.disabled = tallies[0]!.sum.votes === 0
  }
  render(store.getState())
  store.subscribe(render)
  return host
}

function createRow(title: string, sum: Tally, [a, b]: readonly [StudentTag, StudentTag]): HTMLElement {
  const chart = h('div.rate', { 'aria-hidden': 'true' }, h('span.rate-middle'))
  const { rateOfA, interval } = sum
  if (rateOfA !== null && interval) {
    // The bar of a lies on its own side, so it grows to the left.
    const band = h('span.rate-band')
    band.style.left = percent(1 - interval.high)
    band.style.right = percent(interval.low)
    const dot = h('span.rate-dot')
    dot.style.left = percent(1 - rateOfA)
    chart.append(band, dot)
  }
  return h(
    'section.results-row',
    {},
    h('h3', {}, title),
    h('div.rate-names', {}, named(a, sum.a), named(b, sum.b)),
    chart,
    h('p.rate-words', {}, wordsOf(sum, a)),
  )
}

function named({ name, modelHash }: StudentTag, wins: number): HTMLElement {
  return h('span', { title: `model hash ${modelHash}` }, `${name} `, h('b', {}, String(wins)))
}

/** The figures of a tally as a sentence. */
export function wordsOf({ votes, a, b, undecided, rateOfA, interval }: Tally, { name }: StudentTag): string {
  if (votes === 0) return 'No votes yet.'
  const ties = undecided === 0 ? '' : `${undecided} of ${votes} undecided.`
  if (rateOfA === null || !interval) return ties
  const whole = (share: number) => `${Math.round(share * 100)} %`
  const sentence = `${name} in ${whole(rateOfA)} of ${a + b} decided votes, 95 % interval (Wilson) ${whole(interval.low)} to ${whole(interval.high)}.`
  return ties ? `${sentence} ${ties}` : sentence
}

const percent = (share: number) => `${(share * 100).toFixed(2)}%`

/** Asks once more before it deletes. */
function forgetButton(commands: ResultCommands): HTMLButtonElement {
  const PLAIN = 'Delete these votes'
  const button = h<'button'>('button.pill', { type: 'button' }, PLAIN)
  let sure = false
  const settle = () => {
    sure = false
    button.textContent = PLAIN
  }
  button.addEventListener('click', () => {
    if (sure) {
      commands.forget()
      settle()
      return
    }
    sure = true
    button.textContent = 'Really delete?'
  })
  button.addEventListener('blur', settle)
  return button
}
