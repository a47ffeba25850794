import type { Begin } from '../../engine/loop'
import type { Timeline } from '../../engine/timeline'
import type { Snapshot, World } from '../../engine/world'
import { telemetryAt } from '../../model/dream/telemetry'
import type { Manifest } from '../../model/open'
import { namedIn } from '../../model/prompt/labels'
import type { Simulator, ToldMoment } from '../../scene/drive'
import type { SideBySide } from './side-by-side'

/** A world that does not answer is not waited for any longer; what was kept of it last counts. */
const PATIENCE_MS = 1500

/** Ticks between the states that one goes back to. */
const EVERY = 10

const TAKEN_OVER =
  'The simulator goes on with your speed, place on the road and words, on the stretch of its own road that is most like the dreamed one.'
const UNREAD =
  'Nothing says where the car of this dream is, so the simulator begins anew, on the same seed and words.'
const NO_DREAM =
  'The dream cannot take over a drive of the simulator, so it begins anew, on the same seed and words.'

/** What is shown after a change of view. */
export interface Lead {
  /** Null where the dream is not shown. */
  readonly dream: (World & { readonly manifest: Manifest | null }) | null
  readonly simulator: Simulator | null
  /** Of the world that leads; null where a server dreams. */
  readonly timeline: Timeline | null
  /** Where both are shown. */
  readonly pair: SideBySide | null
}

export interface Crossed {
  /** Undefined where the view begins anew. */
  readonly begin?: Begin | undefined
  readonly remark?: string | undefined
}

/** A change of view in mid-drive: what of the drive the other world can take over, and a sentence where it cannot. */
export class Crossing {
  /** The dream's drive on this device, which waits while the simulator is shown. */
  private kept: { readonly world: World; readonly timeline: Timeline } | null = null
  private manifest: Manifest | null = null
  /** Where the dream was left. */
  private at: Snapshot | null = null

  /** The drive of this dream that goes on, if there is one. */
  driveOf(dream: World): Timeline | null {
    return this.kept?.world === dream ? this.kept.timeline : null
  }

  /** The dream is about to be left, once the tick under way is done. */
  async leave(lead: Lead, drained: Promise<Snapshot>): Promise<void> {
    const { dream, timeline } = lead
    if (!dream) return
    const known = timeline?.lastSnapshot ?? null
    const now = drained.then((snapshot) => timeline?.snapshot() ?? snapshot).catch(() => known)
    const waited = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, known))
    this.manifest = dream.manifest
    this.at = await Promise.race([now, waited])
  }

  /** A view is entered. `anew`: nothing of the drive before counts any more. */
  entered({ dream, timeline }: Lead, anew: boolean): void {
    if (dream) {
      this.kept = timeline && { world: dream, timeline }
      this.manifest = dream.manifest
      this.at = null
    } else if (anew) this.forget()
  }

  /** Another drive began: that of a dream which is not shown is over. */
  begun(lead: Lead | null): void {
    if (!lead?.dream) this.forget()
  }

  private forget(): void {
    this.kept = this.at = null
  }

  /** The words that a drive goes on under. */
  get told(): string | undefined {
    return this.at?.prompt?.text
  }

  /** How a view begins that comes after `from`, and what a person should know of it once it has. */
  begin(from: Lead & { readonly tick: number }, to: Lead): Crossed {
    const { at } = this
    const { simulator, timeline, pair } = to
    if (!to.dream) {
      const states = from.pair?.secondStates ?? this.states(simulator!, from.timeline)
      return {
        begin: states.length > 0 ? { move: () => goOn(timeline!, states) } : undefined,
        remark: from.tick > 0 && !from.pair ? takenOver(states) : undefined,
      }
    }
    if (!at || at.modelHash !== to.dream.info.modelHash)
      return { remark: !from.dream && from.tick > 0 ? NO_DREAM : undefined }
    const goesOn = timeline !== null && timeline === this.kept?.timeline
    const left =
      !from.dream && from.tick !== at.tick
        ? `The dream goes on where you left it, at tick ${at.tick}.`
        : undefined
    if (!pair)
      return {
        begin: goesOn ? { move: () => timeline.seek(timeline.position) } : { restore: at },
        remark: left,
      }
    const states = this.states(simulator!, timeline)
    return {
      begin: {
        move: async () => {
          if (!goesOn) await timeline!.restore(at)
          return pair.join(states)
        },
      },
      remark: left ?? (at.tick > 0 ? takenOver(states) : undefined),
    }
  }

  /** States of the simulator that are like the dream's, oldest first; none where nothing says where its car is. */
  states(simulator: Simulator, timeline: Timeline | null, now = this.at): Snapshot[] {
    const { manifest } = this
    if (!now || !manifest) return []
    const before = timeline?.kept.filter(({ tick }) => tick < now.tick) ?? []
    const moments = [...before, now].map((snapshot) => momentIn(snapshot, manifest))
    if (!moments.at(-1)) return []
    return simulator.retrace(
      now.seed,
      moments.filter((moment) => moment !== null),
    )
  }
}

function momentIn(snapshot: Snapshot, manifest: Manifest): ToldMoment | null {
  const telemetry = telemetryAt(snapshot, manifest)
  // Other worlds have readings too.
  if (telemetry?.speed === undefined) return null
  const { text = '', embedding } = snapshot.prompt ?? {}
  const choices = manifest.prompt?.choices
  return {
    tick: snapshot.tick,
    text,
    telemetry,
    ...(embedding && choices && { heard: { values: namedIn(embedding, choices), labels: embedding } }),
  }
}

function takenOver(states: readonly Snapshot[]): string {
  return states.length > 0 ? TAKEN_OVER : UNREAD
}

async function goOn(timeline: Timeline, states: readonly Snapshot[]) {
  const tick = await timeline.restore(states.at(-1)!)
  const apart: Snapshot[] = []
  for (const state of states.slice(0, -1))
    if (apart.length === 0 || state.tick >= apart.at(-1)!.tick + EVERY) apart.push(state)
  timeline.precede(apart)
  return tick
}
