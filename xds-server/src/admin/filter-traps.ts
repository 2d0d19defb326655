import { locate } from "@chancery/filter-sdk/locate";
import type { FastifyInstance } from "fastify";
import { sourceMap, trapText } from "../admin-api/filters.ts";
import { operations } from "../admin-api/operations.ts";
import { routes } from "../admin-api/routes.ts";
import type { Artifact } from "../filter-registry/artifact.ts";
import { didYouMean } from "../model/nearest.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { bodyValue } from "./body.ts";
import { requestError, shortened } from "./problem-json.ts";
import { serveOperation } from "./serve-operation.ts";

/** Keeps the source maps of modules, and uses them to find where a filter trapped. */
export function registerFilterTraps(app: FastifyInstance, { catalog }: AdminDeps): void {
  const artifactOf = (name: string, version: string): Artifact => {
    const versions = catalog.versions(name);
    const found = catalog.get().get(versions.find((each) => each.version === version)?.sha256 ?? "");
    if (found !== undefined) return found;
    const hint = didYouMean(
      version,
      versions.map((each) => each.version),
    );
    const message = `Cannot find version ${shortened(version)} of filter "${shortened(name)}"`;
    const more = { kind: "Filter", name: shortened(name), found: shortened(version), hint };
    throw requestError(404, "FILTER_VERSION_UNKNOWN", message, more);
  };

  serveOperation(app, routes.putSourceMap, operations.putSourceMap, async ({ params, request }) => {
    const { sha256 } = artifactOf(params.name, params.version);
    const map = sourceMap.safeParse(bodyValue(request));
    if (!map.success) {
      throw requestError(
        422,
        "FILTER_SOURCE_MAP_INVALID",
        "Cannot keep the source map: it is not a source map of version 3",
        {
          hint: "https://tc39.es/ecma426/ describes the format",
        },
      );
    }
    await catalog.keepSourceMap(sha256, JSON.stringify(map.data));
    return { sha256 };
  });

  serveOperation(app, routes.locateTrap, operations.locateTrap, async ({ params, request }) => {
    const { name, version } = params;
    const { wasm, sha256 } = artifactOf(name, version);
    const log = trapText.safeParse(bodyValue(request));
    const map = await catalog.sourceMap(sha256);
    if (map === undefined) {
      throw requestError(
        409,
        "FILTER_NO_SOURCE_MAP",
        `Cannot locate traps of filter "${name}" ${version}: the server keeps no source map for it`,
        {
          hint: "push the filter's folder with this version: that sends the source map too",
        },
      );
    }
    const trap = log.success ? locate(wasm, map, log.data.text) : undefined;
    if (trap !== undefined) return trap;
    throw requestError(422, "FILTER_NO_TRAP", "Cannot locate a trap: the text contains none", {
      hint: 'send {"text": ...} with what Envoy logged, from "Function: ... failed" to the end of the backtrace',
    });
  });
}
