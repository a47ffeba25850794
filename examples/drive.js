import { openWorld } from 'oneiro/node'

const world = await openWorld('assets/drive') // or a server: openWorld('ws://localhost:7700', { assets: 'assets/drive' })
let tick = await world.reset({ seed: 7, prompt: 'a snowy night drive' })
while (tick.index < 100) {
  const { offset = 0, heading = 0, curvature = 0 } = tick.telemetry ?? {} // metres, radians, 1/metres: dreamed, as the frame is
  const wanted = 100 * curvature - 8 * heading - offset
  tick = await world.step({ steer: wanted > 1 ? 1 : wanted < -1 ? -1 : 0, throttle: 1 })
}
console.log(`tick ${tick.index}`, tick.frame, tick.telemetry) // RGBA, 160x96; { speed, offset, heading, curvature, ... }

const futures = await world.fork?.(8) // eight futures from here, one forward pass a tick
const ticks = await futures?.step(Array(8).fill({ steer: 1, throttle: 1 }))
console.log(`${ticks?.length} futures at tick ${ticks?.[0]?.index}`)
await world.close()
