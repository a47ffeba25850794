import { Rng } from '../../engine/random'
import type { Ambience } from '../../scene/drive'

/** Seconds that changes take, so that twenty a second are heard as one. */
const GLIDE = 0.12
/** Milliseconds that a browser may take to open its audio device. */
const OPENS_WITHIN_MS = 4000
export const NO_AUDIO = 'No audio device could be opened, so the drive is silent. It goes on as before.'

/** Engine, wind and rain from oscillators and noise. Rejects with a sentence where there is no audio device. */
export async function openSynth(Context: typeof AudioContext | undefined = globalThis.AudioContext) {
  const context = await opened(Context)
  const out = context.createGain()
  out.gain.value = 0
  out.connect(context.destination)
  const to = (param: AudioParam, value: number) => param.setTargetAtTime(value, context.currentTime, GLIDE)

  const engineTone = context.createBiquadFilter()
  engineTone.type = 'lowpass'
  const engine = context.createGain()
  engine.gain.value = 0
  engineTone.connect(engine).connect(out)
  const cylinders = [
    { type: 'sawtooth', ratio: 1, gain: 0.5 },
    { type: 'triangle', ratio: 0.5, gain: 0.9 },
    { type: 'square', ratio: 1.502, gain: 0.12 },
  ] as const
  const oscillators = cylinders.map(({ type, ratio, gain }) => {
    const oscillator = context.createOscillator()
    oscillator.type = type
    const level = context.createGain()
    level.gain.value = gain
    oscillator.connect(level).connect(engineTone)
    oscillator.start()
    return { frequency: oscillator.frequency, ratio }
  })

  const noise = context.createBufferSource()
  noise.buffer = noiseOf(context)
  noise.loop = true
  noise.start()
  const wind = filtered('bandpass', 500, 0.6)
  const rain = filtered('highpass', 2600, 0.3)

  function filtered(type: BiquadFilterType, frequency: number, q: number) {
    const filter = context.createBiquadFilter()
    filter.type = type
    filter.frequency.value = frequency
    filter.Q.value = q
    const gain = context.createGain()
    gain.gain.value = 0
    noise.connect(filter).connect(gain).connect(out)
    return { filter, gain }
  }

  return {
    /** The drive sounds like this from now on. */
    play(ambience: Ambience): void {
      const pitch = 38 + 92 * ambience.revs
      for (const { frequency, ratio } of oscillators) to(frequency, pitch * ratio)
      to(engineTone.frequency, 180 + 900 * ambience.load + 500 * ambience.revs)
      to(engine.gain, 0.09 + 0.07 * ambience.load)
      to(wind.filter.frequency, 300 + 900 * ambience.wind)
      to(wind.gain.gain, 0.5 * ambience.wind ** 1.5)
      to(rain.gain.gain, 0.11 * ambience.rain)
      to(out.gain, 0.7)
    },
    /** Falls silent until the next `play`. */
    hush(): void {
      to(out.gain, 0)
    },
    close(): void {
      void context.close().catch(() => {})
    },
  }
}

export type Synth = Awaited<ReturnType<typeof openSynth>>

async function opened(Context: typeof AudioContext | undefined): Promise<AudioContext> {
  let context: AudioContext | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    if (!Context) throw new Error('no Web Audio')
    context = new Context({ latencyHint: 'playback' })
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('silent')), OPENS_WITHIN_MS)
    })
    await Promise.race([context.resume(), late])
    return context
  } catch (cause) {
    void context?.close().catch(() => {})
    throw new Error(NO_AUDIO, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** Two seconds of white noise. */
function noiseOf(context: AudioContext): AudioBuffer {
  const buffer = context.createBuffer(1, 2 * context.sampleRate, context.sampleRate)
  const rng = new Rng(1, 128)
  const samples = buffer.getChannelData(0)
  for (let i = 0; i < samples.length; i++) samples[i] = rng.uniform(-1, 1)
  return buffer
}
