import { outOfFuel } from "./fuel.ts";
import { type Place, placeFinder } from "./source-map.ts";
import { readModule } from "./wasm-module.ts";

/** The place in the source where a filter trapped. */
export interface TrapLocation {
  /** The filter's name and version, from the module. Absent when `buildFilter` did not build the module. */
  readonly filter?: string;
  readonly version?: string;
  /** The callback that failed: "proxy_on_request_headers". */
  readonly callback?: string;
  /** "unreachable", "divide by zero", "out of fuel". */
  readonly cause: string;
  /** The innermost place in the filter's own source. Absent when no frame is in its source. */
  readonly at?: Place;
  /** Every frame that the source map knows, innermost first. */
  readonly places: readonly Place[];
}

/** One line of a backtrace of Envoy or of a JavaScript engine. */
const frame = /^ *\d+: +0x(?<position>[0-9a-f]+) - (?<name>.+)$|wasm-function\[\d+\]:0x(?<offset>[0-9a-f]+)/gm;
const failure = /Function: (?<callback>\S+) failed: (?:Uncaught )?(?:\w*Error: )?(?<cause>.+)/;
const nameAndVersion = /\b(?<filter>[a-z0-9][a-z0-9._-]*)@(?<version>[^\s)]+)/;

/**
 * Finds a trap in text: Envoy's log, or the stack of a WebAssembly error in Node. `map` must be the source map of
 * exactly this module; for a module of `withFuel`, its adapted map. Undefined when the text contains no trap.
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
    // The fuel is checked at the begin of a loop's turn. The code of that turn comes after this position.
    return body === undefined ? [] : [{ at, body, after: spent && depth === 1 }];
  });
  const find = (wanted: (file: string) => boolean): Place[] => {
    const place = placeFinder(map, wanted);
    return stack.flatMap(({ at, body, after }) => place(at, body, after) ?? []);
  };
  const places = find(() => true);
  // The optimiser may merge library code into the filter's functions. Then look for the nearest place in the filter's
  // source.
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
