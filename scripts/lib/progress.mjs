// How far a long command is: a bar on a terminal, and a line now and then where the output goes into a file.
import { SingleBar } from 'cli-progress'

const EVERY_MS = 20_000

/**
 * @param {{ total: number, unit: string, stream?: NodeJS.WriteStream, now?: () => number, everyMs?: number }} options
 * @returns {{ advance(note?: string): void, stop(): void }}
 */
export function progressOf({
  total,
  unit,
  stream = process.stderr,
  now = () => performance.now(),
  everyMs = EVERY_MS,
}) {
  const started = now()
  let done = 0
  let saidAt = started
  if (stream.isTTY) {
    const bar = new SingleBar({
      format: `{bar} {value}/{total} ${unit} | {eta_formatted} left {note}`,
      stream,
      clearOnComplete: true,
    })
    bar.start(total, 0, { note: '' })
    return {
      advance: (note = '') => bar.increment(1, { note: note && `| ${note}` }),
      stop: () => bar.stop(),
    }
  }
  return {
    advance(note = '') {
      done++
      const at = now()
      if (at - saidAt < everyMs && done < total) return
      saidAt = at
      const left = ((at - started) / done) * (total - done)
      const rest = done < total ? `, ${spoken(left)} left` : ''
      stream.write(`${done} of ${total} ${unit}${rest}${note && `, ${note}`}\n`)
    },
    stop() {},
  }
}

function spoken(ms) {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
}
