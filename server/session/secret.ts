import { createHash, timingSafeEqual } from 'node:crypto'

/** The server's token, and whether somebody knows it. Without one everybody does: that is only for loopback. */
export class Secret {
  private readonly digest: Buffer | null

  constructor(token: string | null) {
    this.digest = token === null ? null : sha256(token)
  }

  /** Compares hashes, so that the time it takes says nothing about the token. */
  isKnownBy(token: string | undefined): boolean {
    return this.digest === null || timingSafeEqual(sha256(token ?? ''), this.digest)
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
