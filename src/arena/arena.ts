import type { Pixels } from '../engine/world'
import { type Clip, type Dreamer, dreamBoth } from './clips'
import { type Plan, planRound } from './plan'
import { type Frames, type Moment, Playback } from './playback'
import { type ArenaStore, asked, troubleFrom, UNANSWERED } from './store'
import type { Pair } from './students'
import { votesBetween } from './tally'
import { QUESTIONS, type Question, type Verdict, type VoteBox } from './votes'

/** Where the pictures of one side go. */
export interface Screen {
  show(pixels: Pixels): void
}

export interface ArenaOptions {
  readonly store: ArenaStore
  readonly pair: Omit<Pair, 'worlds'> & { readonly worlds: readonly [Dreamer, Dreamer] }
  readonly box: VoteBox
  /** Left, right. */
  readonly screens: readonly [Screen, Screen]
  /** Seed of the session: with it every round is the same again. */
  readonly session: number
  readonly seconds: number
  readonly now?: () => Date
  readonly frames?: Frames
}

interface Round {
  readonly plan: Plan
  /** Of student a, of student b. */
  readonly clips: Promise<readonly [Clip, Clip]>
  /** 0..1 of both clips. */
  progress: number
}

/** Rounds, one after the other: dreamed ahead, shown, voted on. */
export class Arena {
  private readonly ticks: number
  private round: Round | null = null
  private coming: Round | null = null
  private playback: Playback | null = null

  constructor(private readonly options: ArenaOptions) {
    this.ticks = Math.max(1, Math.round(options.seconds * options.pair.ticksPerSecond))
  }

  /** Shows a round, the first where none is given. What goes wrong is told by the store. */
  async begin(number = 1): Promise<void> {
    const { store } = this.options
    this.playback?.stop()
    const round = this.coming?.plan.round === number ? this.coming : this.dream(number)
    this.round = round
    this.coming = null
    store.setState({
      phase: 'dreaming',
      trouble: null,
      ...{ round: number, prompt: round.plan.prompt, progress: round.progress },
      ...{ seen: false, played: 0, answers: UNANSWERED },
    })
    try {
      this.play(round.plan, await round.clips)
      this.coming = this.dream(number + 1)
    } catch (error) {
      store.setState({ trouble: troubleFrom(error) })
    }
  }

  /** The same clips from the beginning. */
  again(): void {
    if (this.options.store.getState().phase === 'showing') this.playback?.start()
  }

  /** Answers a question, that which is asked now where none is given. Before the clip was seen, nothing is taken. */
  answer(verdict: Verdict, question?: Question): void {
    const { store } = this.options
    const state = store.getState()
    const which = question ?? asked(state)
    if (!which || !state.seen || state.phase !== 'showing') return
    store.setState({ answers: { ...state.answers, [which]: verdict } })
  }

  /** Takes the last answer back. */
  takeBack(): void {
    const { store } = this.options
    const { answers } = store.getState()
    const last = [...QUESTIONS].reverse().find((question) => answers[question] !== null)
    if (last) store.setState({ answers: { ...answers, [last]: null } })
  }

  /** Keeps the vote and goes on; does nothing until both questions are answered. */
  async next(): Promise<void> {
    const { store, box, session, pair, now = () => new Date() } = this.options
    const { answers, phase } = store.getState()
    const { quality, following } = answers
    if (!this.round || phase !== 'showing' || !quality || !following) return
    const { round, seed, start, prompt, aIsLeft } = this.round.plan
    const [a, b] = pair.tags
    box.add({
      ...{ session, round, seed, start, prompt, quality, following },
      at: now().toISOString(),
      ticks: this.ticks,
      left: aIsLeft ? a : b,
      right: aIsLeft ? b : a,
    })
    this.voted()
    await this.begin(round + 1)
  }

  /** Forgets every vote between these two. */
  forget(): void {
    const { box, pair } = this.options
    box.remove(votesBetween(box.votes, ...pair.tags))
    this.voted()
  }

  private voted(): void {
    const { store, box } = this.options
    const notices = box.trouble ? [box.trouble] : []
    store.setState({ votes: box.votes, notices })
  }

  private dream(number: number): Round {
    const { pair, session, store } = this.options
    const plan = planRound(session, number, pair.choices, this.ticks)
    const clips = dreamBoth(pair.worlds, plan, (progress) => {
      round.progress = progress
      if (this.round === round) store.setState({ progress })
    })
    const round: Round = { plan, clips, progress: 0 }
    // Whoever waits for it hears of its failure; a round that nobody came to has none to tell.
    clips.catch(() => {})
    return round
  }

  private play(plan: Plan, [a, b]: readonly [Clip, Clip]): void {
    const { store, screens, pair, frames } = this.options
    const [left, right] = plan.aIsLeft ? [a, b] : [b, a]
    let shown = -1
    const show = ({ index, seen, fraction }: Moment) => {
      if (index !== shown) {
        screens[0].show(left[index]!)
        screens[1].show(right[index]!)
        shown = index
      }
      const state = store.getState()
      store.setState({ played: fraction, seen: state.seen || seen > 0 })
    }
    this.playback = new Playback(left.length, pair.ticksPerSecond, show, frames)
    store.setState({ phase: 'showing', progress: 1 })
    this.playback.start()
  }
}
