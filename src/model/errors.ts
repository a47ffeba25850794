import {
  BadInputError,
  NotReadyError,
  OneiroError,
  SnapshotMismatchError,
  WorldClosedError,
} from '../engine/errors'

type Cause = { cause?: unknown }

/** A file that the world needs is not there. */
export class AssetMissingError extends OneiroError {
  constructor(file: string, where: string, options?: Cause) {
    super(
      'ASSET_MISSING',
      `${file} is missing: there is no such file at ${where}. Check that the world's folder is complete and served from there.`,
      options,
    )
  }
}

/** A file could not be fetched: no network, or the server failed, and no copy was kept from before. */
export class AssetUnreachableError extends OneiroError {
  constructor(file: string, why: string, options?: Cause) {
    super(
      'ASSET_UNREACHABLE',
      `${file} could not be loaded (${why}), and this browser keeps no copy of it. Check the connection and load the page again.`,
      options,
    )
  }
}

/** A file came, but not the one that the manifest describes: truncated, altered or not readable. */
export class AssetCorruptError extends OneiroError {
  constructor(file: string, what: string, options?: Cause) {
    super(
      'ASSET_CORRUPT',
      `${file} is damaged: ${what}. Load the page again; if it stays, put the world's folder in place anew.`,
      options,
    )
  }
}

/** `world.json` is of a version that this build does not read. */
export class ManifestVersionError extends OneiroError {
  constructor(expected: number, got: unknown) {
    super(
      'MANIFEST_VERSION',
      `world.json is version ${JSON.stringify(got)}, but this build reads version ${expected}. ${
        typeof got === 'number' && got > expected
          ? 'Load the page again to get a newer build.'
          : 'Export the world again.'
      }`,
    )
  }
}

/** `world.json` is not a manifest, or one of its fields is wrong. */
export class ManifestInvalidError extends OneiroError {
  constructor(what: string, options?: Cause) {
    super('MANIFEST_INVALID', `world.json is not valid: ${what}. Export the world again.`, options)
  }
}

/** WebGPU was asked for by name, but cannot be had. */
export class WebGpuUnavailableError extends OneiroError {
  constructor(why: string, options?: Cause) {
    super(
      'WEBGPU_UNAVAILABLE',
      `WebGPU cannot be used here: ${why}. Choose the backend "auto" or "wasm", which plays on the processor.`,
      options,
    )
  }
}

/** The GPU device went away while it was in use. Recoverable: a new device can take over. */
export class DeviceLostError extends OneiroError {
  constructor(why: string, options?: Cause) {
    super('DEVICE_LOST', `The GPU device was lost (${why}). Play goes on when a new one is ready.`, options)
  }
}

/** ONNX Runtime could not make or run a session. */
export class BackendError extends OneiroError {
  constructor(backend: string, doing: string, options?: Cause) {
    const why =
      options?.cause instanceof Error ? options.cause.message : String(options?.cause ?? 'no reason')
    super('BACKEND', `The ${backend} backend failed while ${doing}: ${why}`, options)
  }
}

/** Something of a backend was used after `dispose`. */
export class BackendReleasedError extends OneiroError {
  constructor(backend: string, call: string) {
    super(
      'BACKEND_RELEASED',
      `${call}() of the ${backend} backend was called after dispose(). Open a new backend.`,
    )
  }
}

/** The first tick on this device is not what the manifest says it must be. */
export class SelfTestError extends OneiroError {
  constructor(backend: string, off: number, tolerance: number, what: 'latent' | 'picture' = 'latent') {
    const computed =
      what === 'picture'
        ? `draws a wrong picture here: its first frame is off by ${off.toPrecision(3)} levels of 255 on average`
        : `computes wrong numbers here: its first tick is off by ${off.toPrecision(3)}`
    super(
      'SELF_TEST',
      `The ${backend} backend ${computed}, but at most ${tolerance} is right. Choose another backend.`,
    )
  }
}

/** The worker did not answer in time and was started anew. */
export class BackendStalledError extends OneiroError {
  constructor(call: string, seconds: number) {
    super(
      'BACKEND_STALLED',
      `${call}() had no answer for ${seconds} s, so the dream is started anew from its last checkpoint. Call again.`,
    )
  }
}

/** The worker stopped answering while it loaded, as a driver that hangs makes it. */
export class OpeningStalledError extends OneiroError {
  constructor(seconds: number) {
    super(
      'OPENING_STALLED',
      `The dream's worker said nothing for ${seconds} s while it loaded, so it was stopped. Choose another backend, or load the page again.`,
    )
  }
}

/** The worker's script could not start or died. */
export class WorkerFailedError extends OneiroError {
  constructor(why: string) {
    super(
      'WORKER_FAILED',
      `The dream's worker could not go on (${why || 'it gave no reason'}). Load the page again.`,
    )
  }
}

const CLASSES: Record<string, { prototype: Error; name: string }> = {
  BAD_INPUT: BadInputError,
  NOT_READY: NotReadyError,
  SNAPSHOT_MISMATCH: SnapshotMismatchError,
  WORLD_CLOSED: WorldClosedError,
  ASSET_MISSING: AssetMissingError,
  ASSET_UNREACHABLE: AssetUnreachableError,
  ASSET_CORRUPT: AssetCorruptError,
  MANIFEST_VERSION: ManifestVersionError,
  MANIFEST_INVALID: ManifestInvalidError,
  WEBGPU_UNAVAILABLE: WebGpuUnavailableError,
  DEVICE_LOST: DeviceLostError,
  BACKEND: BackendError,
  BACKEND_RELEASED: BackendReleasedError,
  SELF_TEST: SelfTestError,
}

/** An error as it crosses to another thread; structured clone would drop its class and code. */
export interface WireError {
  readonly code: string
  readonly message: string
}

export function toWire(error: unknown): WireError {
  if (error instanceof OneiroError) return { code: error.code, message: error.message }
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) }
}

/** The error again, with its class, so that `instanceof` holds on both sides. */
export function fromWire({ code, message }: WireError): OneiroError {
  const error = new OneiroError(code, message)
  const known = CLASSES[code]
  if (known) {
    Object.setPrototypeOf(error, known.prototype)
    error.name = known.name
  }
  return error
}
