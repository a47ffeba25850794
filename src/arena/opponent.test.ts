/** The student that ships beside the world's own, for the arena. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { arenaAddress, megabytes } from '../app/chooser'
import { spaceOf } from '../engine/controls'
import type { Pixels } from '../engine/world'
import { parseManifest } from '../model/assets/manifest'
import { openDreamNode } from '../model/node'
import { readAddress } from './address'
import { inCommon } from './students'

const DRIVE = fileURLToPath(new URL('../../assets/drive', import.meta.url))

const BASE = 'https://oneiro.test/page/'

/** Mean step from a pixel to the one on its right, 0..255. */
function edges({ width, data }: Pixels): number {
  let sum = 0
  for (let i = 0; i + 4 < data.length; i += 4) {
    if ((i / 4 + 1) % width !== 0) sum += Math.abs(data[i + 4]! - data[i]!)
  }
  return sum / (data.length / 4)
}

test('the teacher’s single step can be compared with the student, and draws what is blurred', async () => {
  const [student, teacher] = [await openDreamNode(DRIVE), await openDreamNode(`${DRIVE}/teacher.json`)]
  const manifest = async (name: string) => parseManifest(await readFile(`${DRIVE}/${name}.json`, 'utf8'))
  const [a, b] = [await manifest('world'), await manifest('teacher')]
  const choices = inCommon({ info: student.info, manifest: a }, { info: teacher.info, manifest: b })
  expect(choices.starts.length).toBeGreaterThan(10)
  const { idle } = spaceOf(student.info.controls)
  const [sharp, blurred] = await Promise.all(
    [student, teacher].map(async (world) => {
      let { frame } = await world.reset({ seed: 19, prompt: 'a snowy road at sunset' })
      for (let i = 0; i < 5; i++) frame = (await world.step(idle)).frame
      await world.close()
      return edges(frame!)
    }),
  )
  expect(blurred!).toBeLessThan(0.9 * sharp!)
  expect(blurred!).toBeGreaterThan(0.4 * sharp!)
}, 60_000)

test('the page leads to the arena, with the world and the student beside it', () => {
  const opponent = { address: 'assets/drive/teacher.json', title: 'The teacher', bytes: 3_964_918 }
  expect(megabytes(opponent.bytes)).toBe('4.0 MB')
  const url = new URL(arenaAddress('drive', opponent, BASE))
  expect(url.pathname).toBe('/page/arena/')
  expect(readAddress(url.search, BASE)).toMatchObject({
    a: `${BASE}assets/drive/`,
    b: `${BASE}assets/drive/teacher.json`,
    notices: [],
  })
})
