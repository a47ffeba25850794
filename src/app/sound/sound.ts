import type { LoopEvent } from '../../engine/loop'
import type { Telemetry, World } from '../../engine/world'
import { ambienceOf } from '../../scene/drive'
import { sentenceOf } from '../failures'
import { loadPart } from '../offline/newer'
import { notify, type Store } from '../store'
import { remember } from '../ui/choices'
import type { Synth } from './synth'

/** Ticks between two questions to a GPU. */
const ASK_EVERY = 8

/** The drive by ear: off until asked for, and then so on the next visit too, from the first key or click on. */
export class Sound {
  private opening: Promise<Synth | null> | null = null
  private synth: Synth | null = null

  constructor(
    private readonly store: Store,
    private readonly open: () => Promise<Synth> = async () =>
      (await loadPart(() => import('./synth'))).openSynth(),
  ) {}

  toggle(): void {
    const sound = !this.store.getState().sound
    this.store.setState({ sound })
    remember({ sound })
    if (sound) this.start()
    else this.synth?.hush()
  }

  /** Opens the audio device, which browsers allow only once a person has done something. */
  start(): void {
    this.opening ??= this.open().then(
      (synth) => {
        this.synth = synth
        return synth
      },
      (error) => {
        this.opening = null
        // It is tried again on the next visit; here it is off.
        this.store.setState({ sound: false })
        notify(this.store, sentenceOf(error), 'warn')
        return null
      },
    )
  }

  /** A person did something; where sound was wanted on an earlier visit, it may begin now. */
  touched(): void {
    if (this.store.getState().sound) this.start()
  }

  hear(event: LoopEvent, world: World): void {
    if (event.type === 'state' && !event.playing) this.synth?.hush()
    if (event.type !== 'tick' || !this.synth || !this.store.getState().sound) return
    const { telemetry, frame, index } = event.tick
    if (telemetry) this.play(telemetry)
    else if (!frame && index % ASK_EVERY === 0)
      void world.readTelemetry().then(
        (readings) => this.play(readings),
        () => {},
      )
  }

  private play(telemetry: Telemetry | null): void {
    const { heard, paused, sound } = this.store.getState()
    if (paused || !sound) return
    const ambience = ambienceOf(telemetry, heard?.values ?? {})
    if (ambience) this.synth?.play(ambience)
    else this.synth?.hush()
  }
}
