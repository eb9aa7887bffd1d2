import path from 'node:path';
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
    // The command runs hundreds of times from its sources, which is a third cheaper when they are compiled once.
    env: { NODE_COMPILE_CACHE: path.join(import.meta.dirname, 'node_modules/.cache/passloop-tests') },
  },
});
