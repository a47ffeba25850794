/** Plays a plan in Node, for the tests that compare Python with it: `node-drive.ts PLAN.json REPORT.json`. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Action, Snapshot, Tick } from '../../../src/node'
import { openWorld } from '../../../src/node'

interface Plan {
  readonly world: string
  readonly threads: number
  readonly seed: number
  readonly prompt?: string
  readonly start?: string
  /** Goes on from here, where it is given. */
  readonly snapshot?: Snapshot
  readonly actions: readonly Action[]
  /** Words by the number of the action before which they are said. */
  readonly words: Readonly<Record<string, string>>
  /** The number of the action before which a snapshot is taken. */
  readonly keepAt: number
}

const [planFile, reportFile] = process.argv.slice(2) as [string, string]

function told({ frame, telemetry, reward, done }: Tick) {
  return { frame: createHash('sha256').update(frame!.data).digest('hex'), telemetry, reward, done }
}

async function main() {
  const plan = JSON.parse(readFileSync(planFile, 'utf8')) as Plan
  const { seed, prompt, start, snapshot } = plan
  const world = await openWorld(plan.world, { threads: plan.threads })
  const ticks = [told(await (snapshot ? world.restore(snapshot) : world.reset({ seed, prompt, start })))]
  let kept: Snapshot | undefined
  for (const [i, action] of plan.actions.entries()) {
    if (i === plan.keepAt) kept = await world.snapshot()
    const words = plan.words[i]
    if (words !== undefined) await world.setPrompt(words)
    ticks.push(told(await world.step(action)))
  }
  const last = await world.snapshot()
  await world.close()
  writeFileSync(reportFile, JSON.stringify({ ticks, kept, last }))
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
