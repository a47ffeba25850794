/** Drives a dream for 30 seconds by look and act alone: npx tsx examples/mcp-agent.ts */
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const client = new Client({ name: 'lane-keeper', version: '1.0.0' })
await client.connect(new StdioClientTransport({ command: process.execPath, args: ['scripts/mcp.mjs'] }))
const call = async (name: string, args: object) => {
  const { content } = await client.callTool({ name, arguments: { ...args } })
  return JSON.parse(content.flatMap((part) => (part.type === 'text' ? part.text : [])).join(''))
}
const { world } = await call('open', { seed: 7, prompt: 'a snowy night drive' })
let metres = 0
for (let seconds = 0; seconds < 30; seconds += 0.25) {
  // The same call has the picture, for an agent that can see.
  const { offset, heading, curvature } = (await call('look', { world })).telemetry
  const wanted = 100 * curvature - 8 * heading - offset
  const steer = wanted > 1 ? 1 : wanted < -1 ? -1 : 0
  metres += (await call('act', { world, hold: { steer, throttle: 1 }, ticks: 5 })).reward
}
console.log(`${Math.round(metres)} m in 30 s, at tick ${(await call('look', { world })).tick}`)
await client.close()
