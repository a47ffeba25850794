import { BadInputError } from '../../engine/errors'
import type { EncoderFile, EncoderFiles } from './types'

/** Bytes of the file of that name beside `encoder.json`. */
export type ReadBytes = (path: string, onBytes?: (loaded: number) => void) => Promise<Uint8Array>

/** The encoder's files by any means of reading bytes, each checked against the manifest's length and hash. */
export function checkedFiles(read: ReadBytes): EncoderFiles {
  return {
    manifest: () => read('encoder.json'),
    async read(file, onBytes) {
      const bytes = await read(file.path, onBytes)
      await check(file, bytes)
      return bytes
    },
  }
}

/** The encoder's files from the network; `url` is the absolute address of `encoder.json`. */
export function fetchedFiles(url: string): EncoderFiles {
  return checkedFiles(async (path, onBytes) => {
    const address = path === 'encoder.json' ? url : new URL(path, url).href
    const response = await fetch(address)
    if (!response.ok) {
      throw new BadInputError(
        `${path} of the prompt encoder answered ${response.status}. Check that ${address} is served.`,
      )
    }
    return readBody(response, onBytes)
  })
}

async function readBody(response: Response, onBytes?: (loaded: number) => void): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array(await response.arrayBuffer())
  const chunks: Uint8Array[] = []
  let loaded = 0
  const reader = response.body.getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value)
    loaded += part.value.length
    onBytes?.(loaded)
  }
  const bytes = new Uint8Array(loaded)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

async function check(file: EncoderFile, bytes: Uint8Array): Promise<void> {
  if (bytes.length !== file.bytes) {
    throw new BadInputError(
      `${file.path} of the prompt encoder has ${bytes.length} bytes, but encoder.json says ${file.bytes}. Load it again.`,
    )
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  if (hex !== file.sha256) {
    throw new BadInputError(
      `${file.path} of the prompt encoder is damaged: its sha256 is ${hex}, but encoder.json says ${file.sha256}. Load it again.`,
    )
  }
}
