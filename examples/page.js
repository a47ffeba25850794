import { openWorld, play } from 'oneiro'

const world = await openWorld('assets/drive/')
await world.reset({ seed: 7, prompt: 'a snowy night drive' })
await play(world, document.querySelector('canvas'), { keys: true })
