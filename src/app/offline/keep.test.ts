import { describe, expect, it } from 'vitest'
import { filesToKeep } from './keep'

const BUILD = [
  'app/index-a.js',
  'app/index-a.css',
  'app/geist-latin-a.woff2',
  'app/serif-a.woff',
  'app/ort-wasm-simd-threaded-a.wasm.gz',
  'app/ort-wasm-simd-threaded.jspi-a.wasm.gz',
  'app/ort-wasm-simd-threaded.asyncify-a.wasm.gz',
]
const wasm = (files: string[]) => files.filter((file) => file.endsWith('.wasm.gz'))

describe('filesToKeep', () => {
  it('keeps the one runtime that this device uses', () => {
    expect(wasm(filesToKeep(BUILD, 'wasm', true))).toEqual(['app/ort-wasm-simd-threaded-a.wasm.gz'])
    expect(wasm(filesToKeep(BUILD, 'webgpu', true))).toEqual(['app/ort-wasm-simd-threaded.jspi-a.wasm.gz'])
    expect(wasm(filesToKeep(BUILD, 'webgpu', false))).toEqual([
      'app/ort-wasm-simd-threaded.asyncify-a.wasm.gz',
    ])
  })

  it('keeps scripts, styles and the fonts that are used', () => {
    const files = filesToKeep(BUILD, 'wasm', true)
    expect(files).toContain('app/index-a.js')
    expect(files).toContain('app/geist-latin-a.woff2')
    expect(files).not.toContain('app/serif-a.woff')
  })
})
