import { Argument, type Command } from "commander";
import { stringify } from "yaml";
import type { Document } from "../../model/document.ts";
import { type KindRow, kindRow } from "../../model/kinds.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import type { AdminClient } from "../client.ts";
import { exitCodes } from "../exit-codes.ts";
import { readKind } from "../option-values.ts";
import { print, printJson, table } from "../terminal.ts";

export function getCommand(): Command {
  return adminCommand("get", "show all documents, those of a kind, or one", ["json", "yaml"])
    .addArgument(new Argument("[kind]", 'such as "clusters" or "Cluster"').argParser(readKind))
    .argument("[name]", "the name of the document")
    .addHelpText("after", "\nExamples:\n  chancery get\n  chancery get routes shop -o yaml > shop.yaml")
    .action(async function (this: Command) {
      const [row, name]: [KindRow?, string?] = [this.processedArgs[0], this.processedArgs[1]];
      await run<AdminOptions>(async (client, { output }) => {
        const documents = await read(client, row, name);
        if (output === "json") printJson(name === undefined ? documents : documents[0]);
        else if (output === "yaml" || name !== undefined)
          print(
            documents
              .map((each) => stringify(each))
              .join("---\n")
              .trimEnd(),
          );
        else if (documents.length === 0) print("No documents.");
        else print(table(["KIND", "NAME", "NODE GROUP"], documents.map(tableRow)));
        return exitCodes.done;
      }).call(this);
    });
}

async function read(
  client: AdminClient,
  row: KindRow | undefined,
  name: string | undefined,
): Promise<readonly Document[]> {
  if (row === undefined) return (await client.send("mesh", {})).body;
  const { plural } = row;
  if (name !== undefined) return [(await client.send("document", { params: { plural, name } })).body];
  return (await client.send("documents", { params: { plural } })).body.items;
}

function tableRow({ kind, name, spec }: Document): readonly string[] {
  const isGrouped = "nodeGroup" in (kindRow(kind)?.schema.shape ?? {});
  return [kind, name, "nodeGroup" in spec && spec.nodeGroup !== undefined ? spec.nodeGroup : isGrouped ? "every" : ""];
}
