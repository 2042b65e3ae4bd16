import { defineConfig } from "vitest/config";

export default defineConfig({
  define: { XBUILD_VERSION: JSON.stringify("0.0.0-test") },
  test: {
    // Each end-to-end file has an engine storage of its own, so that files can run side by side.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "{src,grammar,bench}/**/*.test.ts",
            "test/{support,integration}/**/*.test.ts",
            "test/{hostile,fuzz}/*.test.ts",
          ],
          testTimeout: 60_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/{e2e,layer-helper,hostile/e2e}/**/*.test.ts"],
          // Bounds for what hangs, with room for a machine that is busy.
          testTimeout: 300_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          // Only by scripts/test-buildkit.sh, which knows whether there is a BuildKit.
          name: "buildkit",
          include: ["test/buildkit/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
