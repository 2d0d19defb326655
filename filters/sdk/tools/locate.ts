import { outOfFuel } from "./fuel.ts";
import { type Place, placeFinder } from "./source-map.ts";
import { readModule } from "./wasm-module.ts";

/** Where in its source a filter trapped. */
export interface TrapLocation {
  /** The filter and its version as its module names them; absent for a module that `buildFilter` did not make. */
  readonly filter?: string;
  readonly version?: string;
  /** The callback that failed: "proxy_on_request_headers". */
  readonly callback?: string;
  /** "unreachable", "divide by zero", "out of fuel". */
  readonly cause: string;
  /** The innermost place in the filter's own source; absent when the trap was in none. */
  readonly at?: Place;
  /** Every place on the stack that the map knows, innermost first. */
  readonly places: readonly Place[];
}

/** One line of Envoy's backtrace, or of a JavaScript engine's. */
const frame = /^ *\d+: +0x(?<position>[0-9a-f]+) - (?<name>.+)$|wasm-function\[\d+\]:0x(?<offset>[0-9a-f]+)/gm;
const failure = /Function: (?<callback>\S+) failed: (?:Uncaught )?(?:\w*Error: )?(?<cause>.+)/;
const nameAndVersion = /\b(?<filter>[a-z0-9][a-z0-9._-]*)@(?<version>[^\s)]+)/;

/**
 * Reads a trap out of text: what Envoy logs of it, or the stack of an error of WebAssembly in Node. `map` is the source
 * map of that very module, which `withFuel` may have moved. Undefined when there is no trap in the text.
 */
export function locate(wasm: Uint8Array, map: string, trapText: string): TrapLocation | undefined {
  const frames = [...trapText.matchAll(frame)].flatMap(({ groups }) => (groups === undefined ? [] : [groups]));
  const failed = failure.exec(trapText)?.groups;
  if (failed === undefined && frames.length === 0) return undefined;
  const named = nameAndVersion.exec(trapText)?.groups;
  const spent = trapText.includes(outOfFuel);
  const { bodies } = readModule(wasm);
  const stack = frames.flatMap(({ position, offset }, depth) => {
    const at = Number.parseInt(position ?? offset ?? "", 16);
    const body = bodies.find(({ start, end }) => at >= start && at < end);
    // The turn of the loop that was one too many begins after the place where it is counted.
    return body === undefined ? [] : [{ at, body, after: spent && depth === 1 }];
  });
  const find = (wanted: (file: string) => boolean): Place[] => {
    const place = placeFinder(map, wanted);
    return stack.flatMap(({ at, body, after }) => place(at, body, after) ?? []);
  };
  const places = find(() => true);
  // What the optimizer merged into the filter's functions may hide where these were.
  const at = places.find(({ file }) => isOwn(file)) ?? find(isOwn)[0];
  const callback = failed?.["callback"];
  return {
    ...(named === undefined ? {} : { filter: named["filter"], version: named["version"] }),
    ...(callback === undefined ? {} : { callback }),
    cause: spent ? outOfFuel : (failed?.["cause"] ?? firstLine(trapText)),
    ...(at === undefined ? {} : { at }),
    places,
  };
}

function isOwn(file: string): boolean {
  return !file.startsWith("~lib/");
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.replace(/^(?:Uncaught )?\w*Error: /, "") ?? "";
}
