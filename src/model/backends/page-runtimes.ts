import asyncify from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url'
import jspi from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url'
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'
import { lazily } from '../../engine/lazily'
import type { Runtime } from './packed-runtimes'

const FILES: Record<Runtime, string> = { wasm, jspi, asyncify }

/**
 * A runtime's code, from the gzipped file that a build of the page holds (vite.config.ts). Many hosts send `.wasm` as it
 * lies, which is four times as much, and some take no file of more than 25 MiB.
 */
export async function packedRuntime(runtime: Runtime): Promise<Uint8Array> {
  return unpacked(await lazily(() => fetchBytes(`${FILES[runtime]}.gz`)))
}

async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
  return new Uint8Array(await answer.arrayBuffer())
}

/** Gzipped bytes unpacked; others as they are, since some hosts declare `.gz` as an encoding and the browser unpacks it. */
export async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
