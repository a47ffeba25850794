import './run.css'
import { RUN_TICKS } from '../../engine/run'
import { type RunState, type Store, watch } from '../store'
import { GLYPHS, h, icon, iconButton, letGoAfter, setText } from '../ui/dom'
import { createSheet } from '../ui/focus'
import { bestOf, LINE_EVERY } from './best'
import { CHART, pointsOf } from './chart'

export interface RunCommands {
  start(): void
  leave(): void
  share(): void
  /** Saves the log that proves it. */
  save(): void
}

const SECONDS = RUN_TICKS / LINE_EVERY
const SVG = 'http://www.w3.org/2000/svg'

/** The button that begins a run, on the picture, and what one sees of a run while it is under way. */
export function createRunPanel(
  store: Store,
  commands: RunCommands,
  day: () => string,
  model: () => string,
): HTMLElement {
  const offer = h('span')
  const begin = h<'button'>(
    'button.run-begin',
    {
      type: 'button',
      title: 'A run of 60 seconds (G)',
      onclick: (event: MouseEvent) => {
        letGoAfter(event)
        commands.start()
      },
    },
    icon(GLYPHS.play, true),
    offer,
  )
  const score = h('strong.run-score')
  const ahead = h('span.run-ahead')
  const left = h('span.run-left', { role: 'timer', 'aria-label': 'Seconds left' })
  const chart = createChart()
  const leave = iconButton('Leave the run', 'Esc', GLYPHS.close, commands.leave)
  const now = h(
    'div.run-now',
    {},
    h('div.run-figures', {}, score, ahead, h('span.run-gap'), left, leave),
    chart.element,
  )
  const host = h('div.run', { role: 'group', 'aria-label': 'Run' }, begin, now)
  const offered = () => {
    const { runnable, run, wakes } = store.getState()
    return `${runnable}${run === null}${wakes}`
  }
  watch(store, offered, () => {
    const { runnable, run } = store.getState()
    host.hidden = !runnable && !run
    begin.hidden = run !== null
    now.hidden = run === null || run.done
    const best = bestOf(day(), model())
    setText(offer, best ? `60 seconds · best ${metres(best.score)} m` : 'A run of 60 seconds')
  })
  watch(
    store,
    (s) => s.run,
    (run) => {
      now.hidden = run === null || run.done
      if (!run || run.done) return
      setText(score, `${metres(run.score)} ${run.unit}`)
      setText(left, `${Math.ceil((RUN_TICKS - run.spent) / LINE_EVERY)} s`)
      left.classList.toggle('soon', RUN_TICKS - run.spent <= 10 * LINE_EVERY)
      const lead = aheadOf(run)
      setText(ahead, lead === null ? '' : `${lead < 0 ? '−' : '+'}${metres(Math.abs(lead))}`)
      ahead.classList.toggle('behind', lead !== null && lead < 0)
      // Once a second is enough for a line.
      if (run.spent % LINE_EVERY < 2) chart.draw(run)
    },
  )
  return host
}

/** What came of a run, over everything. */
export function createRunCard(store: Store, commands: RunCommands): HTMLElement {
  const score = h('h2')
  const sentence = h('p')
  const chart = createChart()
  const button = (name: string, kind: string, onclick: () => void) =>
    h<'button'>(`button.pill${kind}`, { type: 'button', onclick }, name)
  const again = button('Run again', '.primary', commands.start)
  const close = h<'button'>('button.icon.run-close', {
    type: 'button',
    'aria-label': 'Close',
    onclick: commands.leave,
  })
  close.append(icon(GLYPHS.close))
  const card = h(
    'div.run-sheet',
    { role: 'dialog', 'aria-label': 'Your run', 'aria-modal': 'true' },
    close,
    score,
    sentence,
    chart.element,
    h(
      'div.failure-actions',
      {},
      again,
      button('Share', '', commands.share),
      button('Save the proof', '', commands.save),
    ),
  )
  const host = h('div.run-card', {}, card)
  const sheet = createSheetLater(host, again)
  watch(
    store,
    (s) => s.run,
    (run) => {
      sheet(run?.done === true)
      if (!run?.done) return
      setText(score, `${metres(run.score)} ${run.unit}`)
      setText(sentence, sentenceOn(run))
      chart.draw(run)
    },
  )
  return host
}

/** The sheet needs a parent, which the page gives only later. */
function createSheetLater(host: HTMLElement, first: HTMLElement): (open: boolean) => void {
  let sheet: ((open: boolean) => void) | null = null
  host.setAttribute('aria-hidden', 'true')
  return (open) => {
    if (!sheet && !open) return
    sheet ??= createSheet(host, first)
    sheet(open)
  }
}

/** What a run was, for the one who drove it. */
export function sentenceOn({ day, unit, score, best }: RunState): string {
  const what = `of road in a dreamed minute, on the drive of ${dateOf(day)}.`
  if (!best) return `${what} It is the first of this day: the next one has a line to beat.`
  const more = score - best.score
  if (more > 0) return `${what} ${metres(more)} ${unit} farther than your best before.`
  return `${what} Your best of this day is ${metres(best.score)} ${unit}.`
}

/** What one sends to a friend. */
export function shareText({ day, unit, score }: RunState, url: string): string {
  return `Oneiro, ${dateOf(day)}: ${metres(score)} ${unit} of dreamed road in a minute.\n${url}`
}

/** How far the run is ahead of the best before it, at this moment. Null where there is none. */
function aheadOf({ score, spent, best }: RunState): number | null {
  if (!best) return null
  const second = Math.min(SECONDS - 1, Math.floor(spent / LINE_EVERY))
  const part = spent / LINE_EVERY - second
  const then = best.line[second]! * (1 - part) + best.line[second + 1]! * part
  return score - then
}

function createChart() {
  const element = document.createElementNS(SVG, 'svg')
  element.setAttribute('viewBox', `0 -2 ${CHART.width} ${CHART.height + 4}`)
  element.setAttribute('preserveAspectRatio', 'none')
  element.setAttribute('class', 'run-chart')
  element.setAttribute('aria-hidden', 'true')
  const line = (kind: string) => {
    const polyline = document.createElementNS(SVG, 'polyline')
    polyline.setAttribute('class', kind)
    element.append(polyline)
    return polyline
  }
  const ghost = line('run-ghost')
  const own = line('run-own')
  const draw = ({ line, best, score }: RunState) => {
    const top = Math.max(best?.score ?? 0, score, ...line, 1400)
    ghost.setAttribute('points', best ? pointsOf(best.line, SECONDS, top) : '')
    own.setAttribute('points', pointsOf(line, SECONDS, top))
  }
  return { element, draw }
}

function metres(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function dateOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
}
