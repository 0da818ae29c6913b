import { defineConfig } from 'vitest/config'

// `unit` needs no server and runs in seconds before each commit; `service` starts a throw-away PostgreSQL (and Redis where found).
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      { test: { name: 'unit', include: ['tests/**/*.test.ts'], exclude: ['tests/**/*.service.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'service',
          include: ['tests/**/*.service.test.ts'],
          globalSetup: ['tests/support/service-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
