/** Base of every error that Oneiro raises on purpose; `code` is stable for machines. */
export class OneiroError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** An argument or a file is not what was expected. */
export class BadInputError extends OneiroError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('BAD_INPUT', message, options)
  }
}

/** A call came before `reset`. */
export class NotReadyError extends OneiroError {
  constructor(call: string) {
    super('NOT_READY', `${call}() was called before reset(). Call reset({ seed }) first.`)
  }
}

/** A call came after `close`. */
export class WorldClosedError extends OneiroError {
  constructor(call: string) {
    super('WORLD_CLOSED', `${call}() was called after close(). Open a new world.`)
  }
}

/** A snapshot of another world, model or version. */
export class SnapshotMismatchError extends OneiroError {
  constructor(field: string, expected: string, got: string) {
    super(
      'SNAPSHOT_MISMATCH',
      `The snapshot's ${field} is ${got}, but this world needs ${expected}. Restore it in the world that made it.`,
    )
  }
}
