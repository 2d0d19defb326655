import { globSync } from "node:fs";

/** Which tests of some folders to run. */
export interface Selection {
  readonly root: string;
  /** Relative to the root. */
  readonly folders: readonly string[];
  /** Also those that are slow: files named *.slow.test.ts, and integration/. */
  readonly slow: boolean;
}

/** Test files, relative to the root, sorted. */
export interface TestFiles {
  readonly run: readonly string[];
  /** Left out because they are slow. */
  readonly left: readonly string[];
}

const excluded = ["**/node_modules", "**/dist", "**/build", "xds-proto-ts/gen", "filters/template"];

export const isTestFile = (path: string): boolean => /\.test\.(?:ts|mjs)$/.test(path);

/** Tests of integration/ start servers and Envoys, all of them. */
const isSlow = (path: string): boolean => /\.slow\.test\.ts$/.test(path) || path.startsWith("integration/");

export function testFiles({ root, folders, slow }: Selection): TestFiles {
  const patterns = folders.map((folder) => `${folder}/**/*.test.{ts,mjs}`);
  const files = [...new Set(globSync(patterns, { cwd: root, exclude: excluded }))].sort();
  const isRun = (path: string): boolean => slow || !isSlow(path);
  return { run: files.filter(isRun), left: files.filter((path) => !isRun(path)) };
}

/** Where the compiled test lies. */
export const compiled = (path: string): string =>
  path.replace(/^((?:(?:envoy-configs|filters|tools)\/)?[^/]+)\/(?:src|test|tools)\/(.+)\.ts$/, "$1/dist/$2.js");
