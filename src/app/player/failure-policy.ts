import type { StageFace } from '../../scene/stage'
import { codeOf, type FailureAction, failureFrom } from '../failures'
import type { View } from '../params'
import type { Store } from '../store'
import type { Stalls } from './stalls'
import type { WorldPort } from './worlds'

/** How bright the simulator is behind a failure card. */
const BEHIND_CARD = 0.45

interface Parts {
  readonly store: Store
  readonly stage: StageFace
  readonly worlds: WorldPort
  readonly stalls: Stalls
  /** Shows a view anew. */
  readonly setView: (view: View) => Promise<void>
  /** Drives the simulator, whatever the view. */
  readonly driveSimulator: () => Promise<void>
}

/** What the page does where the drive failed: says so, and lets the simulator stand in, so that it is never a dead end. */
export class FailurePolicy {
  constructor(private readonly parts: Parts) {}

  fail(error: unknown): void {
    const { store, stalls } = this.parts
    if (codeOf(error) === 'BACKEND_STALLED') {
      stalls.inPlay()
      return
    }
    const { view, shown, phase, place } = store.getState()
    const dreaming = view !== 'simulator'
    const failure = failureFrom(error, dreaming, view === 'dream' && place === 'server')
    store.setState({ failure, loading: null, reading: null })
    if (dreaming && (phase !== 'ready' || shown !== 'simulator')) void this.standIn()
    else if (phase !== 'ready') store.setState({ phase: 'failed' })
  }

  /** A button of the failure card. */
  async act(action: FailureAction): Promise<void> {
    const { store, stage, worlds, setView } = this.parts
    store.setState({ failure: null })
    stage.setDim(1)
    const { view, phase } = store.getState()
    if (action === 'reload') return location.reload()
    if (action === 'simulator') await setView('simulator')
    else if (action === 'device') {
      store.setState({ place: 'device' })
      await setView('dream')
    } else if (action === 'retry' || action === 'wasm') {
      if (phase === 'failed') store.setState({ phase: 'loading' })
      store.setState({ loading: { label: 'Trying again', fraction: null } })
      await worlds.dropDream(action === 'wasm' ? 'wasm' : undefined)
      await setView(view)
    }
  }

  private async standIn(): Promise<void> {
    const { store, stage, worlds, driveSimulator } = this.parts
    const { failure } = store.getState()
    try {
      await worlds.simulator()
      if (store.getState().failure !== failure) return
      await driveSimulator()
      stage.setDim(BEHIND_CARD)
    } catch {
      if (store.getState().phase !== 'ready') store.setState({ phase: 'failed' })
    }
  }
}
