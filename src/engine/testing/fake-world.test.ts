import { FakeWorld } from './fake-world'
import { checkWorld } from './world-suite'

checkWorld('FakeWorld', { open: async () => new FakeWorld(), starts: ['here', 'there'] })
checkWorld('FakeWorld with frames on the GPU', { open: async () => new FakeWorld({ framesOnGpu: true }) })
