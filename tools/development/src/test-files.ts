import { globSync } from "node:fs";

/** The folders whose tests are to run. */
export interface Selection {
  readonly root: string;
  /** Folders relative to the root. */
  readonly folders: readonly string[];
  /** Whether slow tests run too: files named *.slow.test.ts, and integration/. */
  readonly slow: boolean;
}

/** Test files, relative to the root, sorted. */
export interface TestFiles {
  readonly run: readonly string[];
  /** The slow tests that do not run. */
  readonly left: readonly string[];
}

const excluded = ["**/node_modules", "**/dist", "**/build", "xds-proto-ts/gen", "filters/template"];

export const isTestFile = (path: string): boolean => /\.test\.(?:ts|mjs)$/.test(path);

/** All tests of integration/ start servers or Envoys. */
const isSlow = (path: string): boolean => /\.slow\.test\.ts$/.test(path) || path.startsWith("integration/");

export function testFiles({ root, folders, slow }: Selection): TestFiles {
  const patterns = folders.map((folder) => `${folder}/**/*.test.{ts,mjs}`);
  const files = [...new Set(globSync(patterns, { cwd: root, exclude: excluded }))].sort();
  const isRun = (path: string): boolean => slow || !isSlow(path);
  return { run: files.filter(isRun), left: files.filter((path) => !isRun(path)) };
}

/** The path of a compiled test. */
export const compiled = (path: string): string =>
  path.replace(/^((?:(?:envoy-configs|filters|tools)\/)?[^/]+)\/(?:src|test|tools)\/(.+)\.ts$/, "$1/dist/$2.js");
