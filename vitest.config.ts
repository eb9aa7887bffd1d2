import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/**/*.test.ts', 'actions/**/*.test.ts', 'scripts/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**'],
    // Real engines on slow machines: a limit is for what hangs, not for what is slow.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Tests wait for git, Docker and disks a third of the time.
    maxWorkers: 3,
  },
});
