import { FakeWorld } from './fake-world'
import { worldSuite } from './world-suite'

worldSuite('FakeWorld', { open: async () => new FakeWorld(), starts: ['here', 'there'] })
worldSuite('FakeWorld with frames on the GPU', { open: async () => new FakeWorld({ framesOnGpu: true }) })
