/** The agent that the README prints is a program, and drives as printed. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

it('is printed as it is', () => {
  expect(read('README.md').match(/```ts\n(.*?)```/s)![1]).toBe(read('../examples/mcp-agent.ts'))
})

it('drives 30 seconds by look and act alone', async () => {
  const args = ['--import', 'tsx', 'examples/mcp-agent.ts']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  const [, metres, tick] = stdout.match(/^(\d+) m in 30 s, at tick (\d+)\n$/)!
  expect(Number(tick)).toBe(600)
  // Who only holds the throttle in a bend, or steers the wrong way, is beside the road and at a third of this.
  expect(Number(metres)).toBeGreaterThan(500)
}, 300_000)
