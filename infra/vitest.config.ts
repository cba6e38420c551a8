import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/temporary-directory.ts',
    // One process for all files: loading aws-cdk-lib takes longer than any test, and no test changes anything shared.
    isolate: false,
    fileParallelism: false,
    // A stack is synthesized within seconds, and slower beside whatever else the machine does.
    testTimeout: 120_000,
  },
});
