import { z } from "zod";
import type { Document, Kind } from "../model/document.ts";
import type { Immutable } from "../model/fields.ts";
import { type KindRow, kinds } from "../model/kinds.ts";
import { component, listOf } from "./components.ts";

const documentOf = ({ kind, schema }: KindRow) =>
  z.strictObject({ kind: z.literal(kind), name: z.string().min(1).max(253), spec: schema });
const kindDocuments = new Map(kinds.map((row) => [row.kind, component(row.kind, documentOf(row))]));

/** The union of all kinds. The type `Document` is inferred from the same schemas, kind by kind. */
const anyDocument = component("Document", z.union([...kindDocuments.values()]) as z.ZodType<Document>);
export const anyDocuments = component("DocumentList", z.array(anyDocument));
export const documentKey = component(
  "DocumentKey",
  z.strictObject({ kind: z.enum(kinds.map(({ kind }) => kind)), name: z.string() }),
);

/** The body of an apply. */
export const change = component(
  "Change",
  z.union([
    anyDocuments,
    anyDocument,
    z.strictObject({ set: anyDocuments.optional(), delete: z.array(documentKey).optional() }),
  ]),
);

export const changeWord = z.enum(["created", "changed", "deleted"]);

/** A document that a write or a revision changed, without its content. */
export const changedDocument = z.object({ ...documentKey.shape, change: changeWord });
export type ChangedDocument = Immutable<z.infer<typeof changedDocument>>;

/** The same with the content, where the answer has it. */
export const documentChange = component(
  "DocumentChange",
  changedDocument.extend({ before: anyDocument.optional(), after: anyDocument.optional() }),
);

/** The schemas of each kind: its document, the body of a PUT, and the list. */
export const kindSchemas: ReadonlyMap<Kind, KindSchemas> = new Map(
  kinds.map(({ kind, plural, schema }) => {
    const document = (kindDocuments.get(kind) ?? anyDocument) as z.ZodType<Document>;
    const specOnly = z.strictObject({ spec: schema });
    return [
      kind,
      {
        document,
        written: component(`${kind}Body`, z.union([document, specOnly])),
        list: component(`${kind}List`, listOf(document).describe(`All ${plural}`)),
      },
    ];
  }),
);

interface KindSchemas {
  readonly document: z.ZodType<Document>;
  readonly written: z.ZodType;
  readonly list: ReturnType<typeof listOf<z.ZodType<Document>>>;
}
