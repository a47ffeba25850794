import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const MS = [1, 2, 5, 10, 20, 30, 40, 50, 75, 100, 200, 500]

/** What the server counts, for Prometheus. Each server has a registry of its own. */
export class Meters {
  readonly registry = new Registry()
  readonly sessions = this.gauge('sessions', 'Sessions that hold a seat', ['state'])
  readonly waiting = this.gauge('waiting', 'Connections that wait for a seat')
  readonly seatsKept = this.gauge('seats_kept', 'Seats kept for who has not come yet')
  readonly spectators = this.gauge('spectators', 'Connections that watch a session')
  readonly connections = this.gauge('connections', 'Open websockets')
  readonly strangers = this.gauge('strangers', 'Sockets that have not shown a key, or are being closed')
  readonly linesLost = this.gauge('log_lines_lost', 'Lines of the log that could not be written')
  readonly frames = this.counter('frames_total', 'Frames sent', ['format'])
  readonly frameBytes = this.counter('frame_bytes_total', 'Bytes of payload sent', ['format'])
  readonly skipped = this.counter('frames_skipped_total', 'Frames not sent, as three were unacknowledged')
  readonly missed = this.gauge('missed_periods', 'Tick periods in which no batch could begin')
  readonly overdue = this.gauge('overdue_ticks', 'Ticks due while the one before still waited in line')
  readonly batchSize = this.histogram('batch_size', 'Sessions in one run', [1, 2, 4, 8, 16, 32, 64])
  readonly batchMs = this.histogram('batch_ms', 'One run, pictures included, milliseconds', MS)
  readonly queueMs = this.histogram('queue_ms', 'Longest wait for a run, milliseconds', MS)
  readonly refusals = this.counter('refusals_total', 'Connections refused or ended, by code', ['code'])

  readonly directoryUp = this.gauge(
    'directory_up',
    '1 while the directory of sessions can be reached, else 0',
  )
  readonly workers = this.gauge('workers', 'Other workers that take sessions up')
  readonly snapshotWrites = this.counter('snapshot_writes_total', 'Snapshots written to the directory')
  readonly snapshotFailures = this.counter('snapshot_failures_total', 'Snapshots that could not be written')
  readonly snapshotBytes = this.counter('snapshot_bytes_total', 'Bytes of snapshots written')
  readonly takenUp = this.counter('sessions_taken_up_total', 'Sessions of other workers that go on here')
  readonly lost = this.counter('sessions_lost_total', 'Sessions that another worker has taken up from here')

  /** Those of the process too: processor time, memory, file descriptors, delay of the event loop, garbage collection. */
  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }

  private gauge(name: string, help: string, labelNames: string[] = []) {
    return new Gauge({ name: `oneiro_${name}`, help, labelNames, registers: [this.registry] })
  }
  private counter(name: string, help: string, labelNames: string[] = []) {
    return new Counter({ name: `oneiro_${name}`, help, labelNames, registers: [this.registry] })
  }
  private histogram(name: string, help: string, buckets: number[]) {
    return new Histogram({ name: `oneiro_${name}`, help, buckets, registers: [this.registry] })
  }
}
