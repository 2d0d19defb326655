import type { IncomingHttpHeaders } from "node:http";
import { problemOf } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";

/** The entity tag: the revision at which a document or the mesh last changed, in quotes. */
export function etag(revision: number): string {
  return `"${revision}"`;
}

/** The document or mesh that a precondition is about. */
export interface Target {
  /** Its name in messages: `Cluster "cart"`, "the mesh". */
  readonly what: string;
  /** The revision at which it last changed; absent when it does not exist. */
  readonly revision: number | undefined;
}

/** Rejects with 412 when If-Match or If-None-Match does not hold for the target (RFC 9110, section 13.1). */
export function requirePreconditions(headers: IncomingHttpHeaders, { what, revision }: Target): void {
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
  if (ifNoneMatch !== undefined && matches(readTags("if-none-match", ifNoneMatch), revision)) {
    throw rejected("DOCUMENT_EXISTS", `Cannot write ${what}: it exists, as of revision ${revision}`, {
      path: "headers.if-none-match",
      found: ifNoneMatch,
      hint: "leave If-None-Match out to change it",
      revision,
    });
  }
  if (ifMatch !== undefined && !matches(readTags("if-match", ifMatch), revision)) {
    const now = revision === undefined ? "it does not exist" : `it last changed at revision ${revision}`;
    throw rejected("REVISION_MISMATCH", `Cannot write ${what} as of revision ${shortened(ifMatch)}: ${now}`, {
      path: "headers.if-match",
      found: ifMatch,
      hint:
        revision === undefined
          ? "leave If-Match out to create it"
          : `read it again, then send If-Match: ${etag(revision)}`,
      revision,
    });
  }
}

/** True when the client already has this revision (a GET with If-None-Match). */
export function isNotModified(headers: IncomingHttpHeaders, revision: number): boolean {
  const tags = headers["if-none-match"];
  return tags !== undefined && matches(readTags("if-none-match", tags), revision);
}

function rejected(
  code: ProblemCode,
  message: string,
  { revision, found, ...more }: { path: string; found: string; hint: string; revision: number | undefined },
): RequestError {
  const problem = problemOf({ code, message, ...more, found: shortened(found) });
  return new RequestError(412, [problem], revision === undefined ? {} : { etag: etag(revision) });
}

type Tags = "*" | readonly number[];

function readTags(header: string, text: string): Tags {
  if (text.trim() === "*") return "*";
  return text.split(",").map((tag) => {
    const revision = /^\s*"(\d{1,15})"\s*$/.exec(tag)?.[1];
    if (revision !== undefined) return Number(revision);
    throw requestError(
      400,
      "HEADER_INVALID",
      `Cannot read the header ${header}: it must be * or a revision in quotes`,
      {
        path: `headers.${header}`,
        found: shortened(text),
        hint: 'such as "12", with the quotes',
      },
    );
  });
}

function matches(tags: Tags, revision: number | undefined): boolean {
  if (revision === undefined) return false;
  return tags === "*" || tags.includes(revision);
}
