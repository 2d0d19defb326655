import { z } from "zod";
import type { Document, Kind } from "../model/document.ts";
import type { Immutable } from "../model/fields.ts";
import { type KindRow, kinds } from "../model/kinds.ts";
import { component, listOf } from "./components.ts";

const documentOf = ({ kind, schema }: KindRow) =>
  z.strictObject({ kind: z.literal(kind), name: z.string().min(1).max(253), spec: schema });
const kindDocuments = new Map(kinds.map((row) => [row.kind, component(row.kind, documentOf(row))]));

/** A document of any kind. The type `Document` is inferred from the same schemas, kind by kind. */
const anyDocument = component("Document", z.union([...kindDocuments.values()]) as z.ZodType<Document>);
export const anyDocuments = component("DocumentList", z.array(anyDocument));
export const documentKey = component(
  "DocumentKey",
  z
    .strictObject({ kind: z.enum(kinds.map(({ kind }) => kind)), name: z.string() })
    .describe("The kind and the name of a document."),
);

/** The body of an apply. */
export const change = component(
  "Change",
  z
    .union([
      anyDocuments,
      anyDocument,
      z.strictObject({
        set: anyDocuments.optional().describe("The documents to create or to replace."),
        delete: z.array(documentKey).optional().describe("The documents to delete. Unknown ones are ignored."),
      }),
    ])
    .describe("One document to set, a list of documents to set, or documents to set and to delete."),
);

export const changeWord = z.enum(["created", "changed", "deleted"]);

/** A document that a write or a revision changes, without its content. */
export const changedDocument = z.object({ ...documentKey.shape, change: changeWord });
export type ChangedDocument = Immutable<z.infer<typeof changedDocument>>;

export const documentChange = component(
  "DocumentChange",
  changedDocument
    .extend({
      before: anyDocument.optional().describe("The document before the change. Absent when it is created."),
      after: anyDocument.optional().describe("The document after the change. Absent when it is deleted."),
    })
    .describe(
      "A document that a write or a revision changes. A write that is not a dry run is answered without `before` and `after`.",
    ),
);

/** The schemas of each kind: a document, the body of a PUT, and a list. */
export const kindSchemas: ReadonlyMap<Kind, KindSchemas> = new Map(
  kinds.map(({ kind, plural, schema }) => {
    const document = (kindDocuments.get(kind) ?? anyDocument) as z.ZodType<Document>;
    const specOnly = z.strictObject({ spec: schema });
    return [
      kind,
      {
        document,
        written: component(`${kind}Body`, z.union([document, specOnly])),
        list: component(`${kind}List`, listOf(document).describe(`All ${plural}.`)),
      },
    ];
  }),
);

interface KindSchemas {
  readonly document: z.ZodType<Document>;
  readonly written: z.ZodType;
  readonly list: ReturnType<typeof listOf<z.ZodType<Document>>>;
}
