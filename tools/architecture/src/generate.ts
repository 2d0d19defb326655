/** `npm run generate`: writes all that is generated from the table of rooms. */
import { writeFileSync } from "node:fs";
import { generatedFiles } from "./generated.ts";

for (const { path, url, present, wanted } of generatedFiles()) {
  if (present === wanted) continue;
  writeFileSync(url, wanted);
  console.log(`Wrote ${path}`);
}
