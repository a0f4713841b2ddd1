import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "packages",
          include: ["packages/*/src/**/*.test.ts"],
          exclude: ["**/*.browser.test.ts"],
          // Memory tests need a garbage collection on demand.
          pool: "forks",
          execArgv: ["--expose-gc"],
        },
      },
      {
        test: {
          name: "tools",
          include: ["tools/*/**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/*.browser.test.ts"],
          pool: "forks",
        },
      },
    ],
  },
});
