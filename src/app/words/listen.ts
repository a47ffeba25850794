import type { LoopEvent } from '../../engine/loop'
import type { World } from '../../engine/world'
import { namedIn } from '../../model/prompt/labels'
import type { Store } from '../store'
import { heardBySimulator } from './remarks'

/** Keeps what the world made of its words on the page: at every beginning, and when words took effect. */
export class Listening {
  private turn = 0

  constructor(private readonly store: Store) {}

  hear(event: LoopEvent, world: World): void {
    if (event.type === 'begin') void this.ask(world, event.tick.index)
    else if (event.type === 'prompt') void this.ask(world, event.afterTick + 1)
  }

  private async ask(world: World, tick: number): Promise<void> {
    const turn = ++this.turn
    const prompt = await world.snapshot().then(
      (snapshot) => snapshot.prompt,
      () => null,
    )
    if (turn !== this.turn) return
    const { choices } = this.store.getState()
    if (!prompt || !choices) return this.store.setState({ heard: null })
    const { text, embedding: labels } = prompt
    const values = labels ? namedIn(labels, choices) : (heardBySimulator(text) ?? {})
    // The simulator has labels only of words that the dream had read, and is changed by words.
    this.store.setState({ heard: { values, tick, labels: world.info.kind === 'simulator' ? null : labels } })
  }
}
