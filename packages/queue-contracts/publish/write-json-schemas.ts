// `pnpm run build` runs this: schemas/ is committed, so that a change of the contracts shows in review.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createJsonSchemas, formatJsonSchema } from "./json-schemas.ts";

const folder = new URL("../schemas/", import.meta.url);
await rm(folder, { recursive: true, force: true });
await mkdir(folder);
for (const [name, schema] of createJsonSchemas()) {
  await writeFile(new URL(`${name}.json`, folder), formatJsonSchema(schema));
}
