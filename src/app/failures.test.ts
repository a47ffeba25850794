import { describe, expect, it } from 'vitest'
import { OneiroError } from '../engine/errors'
import {
  AssetCorruptError,
  AssetMissingError,
  ManifestVersionError,
  OpeningStalledError,
  WebGpuUnavailableError,
} from '../model/errors'
import { failureFrom } from './failures'

describe('failureFrom', () => {
  it('has words of its own for each failure a person can meet, and keeps the details', () => {
    const missing = failureFrom(new AssetMissingError('world.json', 'https://x/'), true)
    const corrupt = failureFrom(new AssetCorruptError('student.onnx', 'it is too short'), true)
    const version = failureFrom(new ManifestVersionError(1, 2), true)
    expect(new Set([missing.title, corrupt.title, version.title]).size).toBe(3)
    expect(corrupt.detail).toContain('student.onnx is damaged')
    expect(missing.actions.map(({ action }) => action)).toEqual(['retry', 'simulator'])
  })

  it('offers the processor first where graphics compute is the trouble', () => {
    for (const error of [new WebGpuUnavailableError('no adapter'), new OpeningStalledError(120)]) {
      expect(failureFrom(error, true).actions[0]?.action).toBe('wasm')
    }
  })

  it('offers to load the page again where nothing else can help', () => {
    const failure = failureFrom(new OneiroError('NEWER_PAGE', 'A newer page was put in its place.'), true)
    expect(failure.title).toBe('There is a newer page')
    expect(failure.actions.map(({ action }) => action)).toEqual(['reload'])
  })

  it('still says something where an error is unknown, and offers no simulator where that is what failed', () => {
    const failure = failureFrom(new Error('odd'), false)
    expect(failure).toMatchObject({ code: 'UNKNOWN', detail: 'odd' })
    expect(failure.actions.map(({ action }) => action)).toEqual(['retry'])
  })
})
