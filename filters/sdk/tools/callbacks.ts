import type { Transform } from "assemblyscript/asc";

/** The file of the library that exports every callback. */
const callbacksFile = "~lib/@chancery/filter-sdk/proxy";
const libraryPrefix = "~lib/@chancery/filter-sdk/";

/** Exported callback and the method that it calls. Those that are not listed belong to every filter. */
const methodOf: ReadonlyMap<string, string> = new Map([
  ["proxy_on_vm_start", "onStart"],
  ["proxy_on_request_headers", "onRequestHeaders"],
  ["proxy_on_request_body", "onRequestBody"],
  ["proxy_on_request_trailers", "onRequestTrailers"],
  ["proxy_on_response_headers", "onResponseHeaders"],
  ["proxy_on_response_body", "onResponseBody"],
  ["proxy_on_response_trailers", "onResponseTrailers"],
  ["proxy_on_log", "onLog"],
  ["proxy_on_done", "onDone"],
]);

/**
 * A step between parsing and compiling: drops the exported callbacks whose method no class of the filter defines. Each
 * exported callback costs a crossing into the VM for every stream, needed or not.
 */
export function keepOverriddenCallbacks(): Transform {
  const transform = {
    afterParse({ sources }: { readonly sources: readonly Source[] }): void {
      const defined = new Set<string>();
      for (const source of sources) {
        if (source.internalPath.startsWith(libraryPrefix)) continue;
        for (const { members } of source.statements) {
          for (const { name } of members ?? []) if (name) defined.add(name.text);
        }
      }
      for (const source of sources) {
        if (source.internalPath !== callbacksFile) continue;
        source.statements = source.statements.filter(({ name }) => {
          const method = methodOf.get(name?.text ?? "");
          return method === undefined || defined.has(method);
        });
      }
    },
  };
  // The compiler's abstract class has no code that could be extended, and its type names what the compiler adds later.
  return transform as unknown as Transform;
}

/** What is read of the compiler's syntax tree. */
interface Source {
  readonly internalPath: string;
  statements: readonly Statement[];
}

interface Statement {
  readonly name?: { readonly text: string };
  /** An index signature has no name. */
  readonly members?: readonly { readonly name?: { readonly text: string } }[] | null;
}
