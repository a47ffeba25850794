/** Where the command's log goes: it never holds up play, whatever becomes of what it is written to. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'

/** Bytes that may wait for a reader who does not read. */
const MOST_WAITING = 256 * 1024
const STDOUT = 1

/** Takes text at once or not at all: true where it was taken. */
type Take = (text: string) => boolean

/**
 * A destination for `pino`. A line that cannot be written now is lost and counted, and the next that can be is told how
 * many were: a full disk, a terminal that is stopped, a pipe that nobody reads or that is closed.
 */
export class LogSink {
  /** Lines that could not be written, since the beginning. */
  lost = 0
  private untold = 0

  constructor(private readonly take: Take = standardOutput()) {}

  write(line: string): void {
    if (this.untold > 0 && this.take(lostLine(this.untold))) this.untold = 0
    if (this.take(line)) return
    this.lost++
    this.untold++
  }
}

function lostLine(lines: number): string {
  return `${JSON.stringify({ level: 40, time: Date.now(), lines, msg: 'lines of the log could not be written' })}\n`
}

/** Pipes and sockets are streams that wait by themselves; of all else, nothing may wait. */
export function standardOutput(stream: NodeJS.WriteStream = process.stdout): Take {
  const kind = fstatSync(STDOUT)
  return kind.isFIFO() || kind.isSocket() ? throughStream(stream) : throughFile(descriptor())
}

/** Into a stream that does not block. */
export function throughStream(stream: NodeJS.WritableStream & { writableLength: number }): Take {
  let broken = false
  stream.on('error', () => {
    broken = true
  })
  return (text) => {
    if (broken || stream.writableLength > MOST_WAITING) return false
    stream.write(text)
    return true
  }
}

/** Into a file: what the disk has no room for comes as an error at once. */
export function throughFile(file: number): Take {
  let torn = false
  return (text) => {
    try {
      const bytes = Buffer.from(torn ? `\n${text}` : text)
      const written = writeSync(file, bytes)
      torn = written < bytes.length
      return !torn
    } catch {
      return false
    }
  }
}

/** A terminal that is stopped (Ctrl-S) would block; opened anew it says so instead. */
function descriptor(): number {
  if (!isatty(STDOUT)) return STDOUT
  try {
    return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return STDOUT
  }
}
