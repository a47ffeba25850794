import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { openDreamNode } from '../../model/node'
import { readParams } from '../params'
import { isOpening } from './opening'
import opening from './opening.json'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))

it('the picture of the opening drive is the first frame that the dream draws of it', async () => {
  const { presets, modelHash } = JSON.parse(readFileSync('assets/drive/world.json', 'utf8'))
  // Run `node scripts/tsx.mjs scripts/opening.ts` where the dream is a new one.
  expect(opening).toMatchObject({ modelHash, prompt: presets[0].text })
  const dream = await openDreamNode('assets/drive', { threads: 1 })
  const { frame } = await dream.reset({ seed: opening.seed, prompt: { text: opening.prompt } })
  await dream.close()
  const bytes = readFileSync(`${FOLDER}opening.webp`)
  expect(bytes.length).toBeLessThan(8000)
  const picture = await sharp(bytes).ensureAlpha().raw().toBuffer()
  const squares = picture.reduce((sum, value, i) => sum + (value - frame!.data[i]!) ** 2, 0)
  expect(10 * Math.log10(255 ** 2 / (squares / picture.length))).toBeGreaterThan(30)
}, 120_000)

it.each([
  ['', true],
  ['?hud=1&backend=wasm', true],
  ['?run=2026-11-29', true],
  ['?seed=7', false],
  ['?prompt=fog', false],
  ['?world=simulator', false],
  ['?server=ws://localhost:7700', false],
  ['?assets=elsewhere/', false],
])('an address that asks for another drive has another picture: %s', (search, expected) => {
  const { params } = readParams(search, 'assets/drive/', 'http://here/')
  expect(isOpening(params, search)).toBe(expected)
})
