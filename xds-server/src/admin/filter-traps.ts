import { locate, type TrapLocation } from "@chancery/filter-sdk/locate";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Artifact } from "../filter-registry/artifact.ts";
import { didYouMean } from "../model/nearest.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { answers } from "./answers.ts";
import { bodyValue } from "./body.ts";
import { nameParams, operation } from "./operation.ts";
import { requestError, shortened } from "./problem-json.ts";
import { queryOf } from "./query.ts";

interface Named {
  readonly Params: { readonly name: string; readonly version: string };
}

const versionParams = z.object({ ...nameParams.shape, version: z.string().describe("The version, percent-encoded") });

/** Keeping the source maps of modules, and finding by them where a filter trapped. */
export function registerFilterTraps(app: FastifyInstance, { catalog }: AdminDeps): void {
  const tags = ["filters"];
  const artifactOf = (name: string, version: string): Artifact => {
    const versions = catalog.versions(name);
    const found = catalog.get().get(versions.find((each) => each.version === version)?.sha256 ?? "");
    if (found !== undefined) return found;
    const hint = didYouMean(
      version,
      versions.map((each) => each.version),
    );
    const message = `Cannot find version ${shortened(version)} of filter "${shortened(name)}"`;
    const more = { kind: "Filter", name: shortened(name), found: shortened(version) };
    throw requestError(404, "FILTER_VERSION_UNKNOWN", message, { ...more, ...(hint === undefined ? {} : { hint }) });
  };

  const keep = {
    tags,
    params: versionParams,
    summary: "Keep the source map of a version, by which its traps are located",
    body: answers.sourceMap,
    answer: answers.sourceMapKept,
  };
  app.put<Named>("/api/v1/filters/:name/versions/:version/source-map", operation(keep), async (request) => {
    queryOf(request, z.strictObject({}));
    const { sha256 } = artifactOf(request.params.name, request.params.version);
    const map = answers.sourceMap.safeParse(bodyValue(request));
    if (!map.success) {
      throw requestError(422, "FILTER_SOURCE_MAP_INVALID", "Cannot keep the source map: it is not one of version 3", {
        hint: "https://tc39.es/ecma426/ describes what it should be",
      });
    }
    await catalog.keepSourceMap(sha256, JSON.stringify(map.data));
    return { sha256 };
  });

  const find = {
    tags,
    params: versionParams,
    summary: "Say where in its source a version trapped, from the text that Envoy logged",
    body: answers.trapText,
    answer: answers.trap,
  };
  app.post<Named>("/api/v1/filters/:name/versions/:version/locate", operation(find), async (request) => {
    queryOf(request, z.strictObject({}));
    const { name, version } = request.params;
    const { wasm, sha256 } = artifactOf(name, version);
    const asked = answers.trapText.safeParse(bodyValue(request));
    const map = await catalog.sourceMap(sha256);
    if (map === undefined) {
      throw requestError(
        409,
        "FILTER_NO_SOURCE_MAP",
        `Cannot locate traps of filter "${name}" ${version}: no source map is kept`,
        {
          hint: "push it from its folder, with its version: the source map goes along",
        },
      );
    }
    const trap = asked.success ? locate(wasm, map, asked.data.text) : undefined;
    if (trap !== undefined) return trap satisfies TrapLocation;
    throw requestError(422, "FILTER_NO_TRAP", "Cannot locate a trap: the text holds none", {
      hint: 'send {"text": ...} with what Envoy logged, from "Function: ... failed" to the end of the backtrace',
    });
  });
}
