/** Drives a world and writes its log: node scripts/tsx.mjs clients/python/tests/node-log.ts WORLD PLAN LOG FRAMES */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { type Action, openWorld, Timeline, writeActionLog } from '../../../src/node'

const [folder, plan, log, frames] = process.argv.slice(2)
const { reset, restoredAt, actions, words } = JSON.parse(readFileSync(plan!, 'utf8'))
const drive = new Timeline(await openWorld(folder!, { threads: 1 }))
const hashes: string[] = []
const seen = ({ frame }: { frame: { data: Uint8ClampedArray } | null }) =>
  hashes.push(createHash('sha256').update(frame!.data).digest('hex'))
seen(await drive.reset(reset))
for (const [i, action] of (actions as Action[]).entries()) {
  if (i === restoredAt) {
    // The log begins anew, from a snapshot.
    hashes.length = 0
    seen(await drive.restore(await drive.snapshot()))
  }
  if (words[i]) await drive.setPrompt(words[i])
  seen(await drive.step(action))
}
writeFileSync(log!, writeActionLog(drive.log()))
writeFileSync(frames!, JSON.stringify(hashes))
await drive.close()
