/** A drive in the hands of a script: npx tsx examples/script.ts */
import { openWorld, Timeline } from '../src/node'

const drive = new Timeline(await openWorld('assets/drive'))
await drive.reset({ seed: 7, prompt: 'a snowy night drive' })
await drive.hold({ throttle: -1 }, 20) // controls that are not named rest
const fast = await drive.until((tick) => tick.telemetry!.speed! > 20, { hold: { throttle: 1 }, most: 200 })
const picture = await drive.readPixels()
await drive.hold({ steer: -1, throttle: 1 }, 10)
await drive.seek(fast.index) // back to where it was fast
console.log(`fast at tick ${fast.index}; there again: ${await drive.expectFrame(picture, { dB: 60 })} dB`)
await drive.close()
