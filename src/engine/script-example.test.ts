/** The script that the README prints is a program, and runs as printed. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

it('is printed as it is', () => {
  const printed = read('README.md').match(/```ts\n(\/\*\* A drive in the hands.*?)```/s)![1]
  expect(printed).toBe(read('../../examples/script.ts'))
})

it('runs', async () => {
  const args = ['--import', 'tsx', 'examples/script.ts']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  expect(stdout).toMatch(/^fast at tick \d+; there again: Infinity dB\n$/)
}, 300_000)
