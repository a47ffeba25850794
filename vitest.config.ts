import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'src/**/*.test.ts',
      'server/**/*.test.ts',
      'mcp/**/*.test.ts',
      'bench/**/*.test.ts',
      'scripts/**/*.test.{ts,mjs}',
      'examples/**/*.test.ts',
      'clients/**/*.test.ts',
    ],
    environment: 'node',
    // Two workers: the machines this runs on have two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
  },
})
