import { OneiroError } from '../../engine/errors'

/** What came can be a megabyte long, and a reason quotes it. */
const LONGEST_REASON = 300

/** A message that is not what the wire's layout says; the connection that sent it is closed. */
export class WireMalformedError extends OneiroError {
  constructor(message: string, what: string, options?: { cause?: unknown }) {
    super(
      'WIRE_MALFORMED',
      `The message "${message}" cannot be read: ${what.slice(0, LONGEST_REASON)}. Check that both ends run the same build.`,
      options,
    )
  }
}

/** The other end speaks another version of the wire. */
export class WireVersionError extends OneiroError {
  constructor(expected: number, got: number) {
    super(
      'WIRE_VERSION',
      `This end speaks version ${expected} of the wire, but version ${got} came. Update the older of the two.`,
    )
  }
}

/** What a server says about a connection or a session, beside the errors of worlds. */
export class ServerRefusedError extends OneiroError {}

/** The connection is gone and could not be had again. */
export class ConnectionLostError extends OneiroError {
  constructor(why: string, options?: { cause?: unknown }) {
    super(
      'CONNECTION_LOST',
      `The server cannot be reached (${why}). Check the connection and join again.`,
      options,
    )
  }
}

/** Codes that a server ends a connection with, and the close code that goes with each. */
export const CLOSE_CODES = {
  SERVER_DRAINING: 1001,
  TEXT_MESSAGE: 1003,
  WIRE_MALFORMED: 4400,
  UNAUTHORIZED: 4401,
  SESSION_GONE: 4404,
  NO_COMMON_FORMAT: 4406,
  HELLO_LATE: 4408,
  SESSION_TAKEN: 4409,
  SEAT_GONE: 4410,
  UNEXPECTED_MESSAGE: 4412,
  WIRE_VERSION: 4426,
  SESSION_MOVED: 4421,
  SEAT_ELSEWHERE: 4422,
  TRY_LATER: 4425,
  TOO_MANY_MESSAGES: 4429,
  SERVER_FULL: 4503,
  SERVER_FAILED: 4500,
} as const

export type RefusalCode = keyof typeof CLOSE_CODES
