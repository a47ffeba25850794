import type { InferenceSession } from 'onnxruntime-common'
import { type AssetCache, type AssetSource, NO_CACHE } from '../assets/assets'
import { noticeOf, type TellNotice } from '../notices'
import { disposed, emptyPrompt, PromptEncoderError, reason } from './errors'
import { loadClassifier, type SentenceModel } from './load'
import { phrasesOf, WORDS_READ } from './phrases'
import { ownSentences, type Sentences } from './sentences'
import type { EncoderProgress, PromptEncoder, PromptOrt, WorldFolder } from './types'

export interface PromptEncoderOptions {
  readonly ort: PromptOrt
  /** The folder that holds the encoder. */
  readonly source: AssetSource
  /** Left out, nothing is kept. */
  readonly cache?: AssetCache
  /** Name of the manifest in the folder, `encoder.json` where left out. */
  readonly manifest?: string
  /** The world whose classifier turns embeddings into prompt labels. Left out, the conditioning is the text's embedding. */
  readonly world?: WorldFolder
  readonly onProgress?: (progress: EncoderProgress) => void
  /** Told `PROMPT_CUT` where a prompt was too long, and what the loading of assets has to say. */
  readonly onNotice?: TellNotice
  /**
   * Runs the job when no other session of the same ONNX Runtime is running: two overlapping runs in one WASM
   * instance destroy it. Needed where the encoder shares its instance with the student; left out, the encoder
   * only keeps its own runs apart.
   */
  readonly runExclusive?: <T>(job: () => Promise<T>) => Promise<T>
  /** The model of sentences, where encoders share one. Left out, this one loads its own. */
  readonly sentences?: Sentences
}

interface Loaded extends SentenceModel {
  /** The world's graph from embeddings of phrases to prompt labels. */
  readonly classifier: InferenceSession | null
}

/** Phrases in one run of the graph: what a run needs of memory and time grows with them. */
const MOST_ROWS = 32
/**
 * Tokens of a phrase that are read. Five English words have some 8; without this bound 40 words in a script that the
 * model cuts into single characters would cost seconds.
 */
const PHRASE_TOKENS = 16

/** A prompt encoder in this thread. Loads nothing before the first `encode`. */
export function createPromptEncoder(options: PromptEncoderOptions): PromptEncoder {
  const runExclusive = options.runExclusive ?? createLock()
  const onNotice = options.onNotice ?? (() => {})
  const { ort, world } = options
  const sentences =
    options.sentences ??
    ownSentences({
      ...{ ort, onNotice, runExclusive, source: options.source },
      cache: options.cache ?? NO_CACHE,
      manifest: options.manifest ?? 'encoder.json',
      onProgress: options.onProgress ?? (() => {}),
    })
  let loading: Promise<InferenceSession | null> | null = null
  let closed = false

  async function load(): Promise<Loaded> {
    loading ??= world ? loadClassifier(world, { ort, onNotice, runExclusive }) : Promise.resolve(null)
    const made = loading
    made.catch(() => {
      if (loading === made) loading = null
    })
    const [model, classifier] = await Promise.all([sentences.load(), made])
    return { ...model, classifier }
  }

  return {
    async encode(text) {
      if (closed) throw disposed()
      if (text.trim() === '') throw emptyPrompt()
      const loaded = await load()
      const { lines, cut } = linesOf(text, loaded)
      if (cut) onNotice(noticeOf('PROMPT_CUT', cut))
      return runExclusive(async () => {
        if (closed) throw disposed()
        const embeddings = await embed(options.ort, loaded, lines)
        return loaded.classifier
          ? classify(options.ort, loaded.classifier, embeddings, lines.length)
          : embeddings
      })
    },
    async dispose() {
      if (closed) return
      closed = true
      const classifier = await loading?.catch(() => null)
      try {
        // In its turn, where there is no classifier too: calls under way are done then.
        await runExclusive(async () => classifier?.release())
      } finally {
        await sentences.release()
      }
    },
  }
}

/** The token ids of what is embedded, the whole text or its phrases, and what was cut off. Throws `BadInputError`. */
function linesOf(
  text: string,
  { manifest, tokenizer, classifier }: Loaded,
): { lines: number[][]; cut: string } {
  if (!classifier) {
    const { ids, dropped } = tokenizer.tokenize(text)
    const cut = dropped > 0 ? `${ids.length + dropped} tokens, of which ${manifest.maxTokens} are read` : ''
    return { lines: [ids], cut }
  }
  const { phrases, dropped } = phrasesOf(text)
  const lines = phrases.flatMap((phrase) => {
    const tokens = tokenizer.find(phrase)
    return tokens ? [shortened(tokens.ids)] : []
  })
  if (lines.length === 0) throw emptyPrompt()
  return { lines, cut: dropped > 0 ? `${dropped + WORDS_READ} words, of which ${WORDS_READ} are read` : '' }
}

/** At most `PHRASE_TOKENS` of a phrase, with its end. */
function shortened(ids: number[]): number[] {
  return ids.length <= PHRASE_TOKENS ? ids : [...ids.slice(0, PHRASE_TOKENS - 1), ids.at(-1)!]
}

/** Embeddings [lines, dim] of token ids, in runs of lines that are about as long as each other. */
async function embed(ort: PromptOrt, loaded: Loaded, lines: readonly number[][]): Promise<Float32Array> {
  const { dim } = loaded.manifest
  const all = new Float32Array(lines.length * dim)
  const order = [...lines.keys()].sort((a, b) => lines[a]!.length - lines[b]!.length)
  for (let i = 0; i < order.length; i += MOST_ROWS) {
    const rows = order.slice(i, i + MOST_ROWS)
    const some = await embedSome(
      ort,
      loaded,
      rows.map((row) => lines[row]!),
    )
    rows.forEach((row, k) => {
      all.set(some.subarray(k * dim, (k + 1) * dim), row * dim)
    })
  }
  return all
}

async function embedSome(
  ort: PromptOrt,
  { session, manifest }: Loaded,
  lines: readonly number[][],
): Promise<Float32Array> {
  const width = Math.max(...lines.map((line) => line.length))
  const dims = [lines.length, width]
  const ids = new BigInt64Array(lines.length * width)
  const mask = new BigInt64Array(ids.length)
  lines.forEach((line, row) => {
    ids.set(BigInt64Array.from(line, BigInt), row * width)
    mask.fill(1n, row * width, row * width + line.length)
  })
  const inputs = {
    input_ids: new ort.Tensor('int64', ids, dims),
    attention_mask: new ort.Tensor('int64', mask, dims),
  }
  return run(session, inputs, 'embedding', lines.length * manifest.dim)
}

/** What the phrases of those embeddings [count, dim] say together. */
async function classify(
  ort: PromptOrt,
  classifier: InferenceSession,
  embeddings: Float32Array,
  count: number,
): Promise<Float32Array> {
  const phrases = new ort.Tensor('float32', embeddings, [count, embeddings.length / count])
  return run(classifier, { phrases }, 'reading')
}

async function run(
  session: InferenceSession,
  inputs: InferenceSession.FeedsType,
  output: string,
  length?: number,
): Promise<Float32Array> {
  try {
    const data = (await session.run(inputs))[output]?.data
    if (!(data instanceof Float32Array) || (length !== undefined && data.length !== length)) {
      throw new Error(`its output "${output}" is not ${length ?? 'all'} floats`)
    }
    return data.slice()
  } catch (cause) {
    throw new PromptEncoderError(`The prompt encoder could not run: ${reason(cause)}.`, { cause })
  }
}

/** Jobs one after another, in the order of the calls; a failed one does not stop the next. */
function createLock(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (job) => {
    const result = last.then(job)
    last = result.catch(() => {})
    return result
  }
}
