import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    testTimeout: 20_000,
    // Much of it is waiting, for other processes and sockets.
    maxWorkers: Math.max(2, availableParallelism()),
    reporters: ['default'],
  },
})
