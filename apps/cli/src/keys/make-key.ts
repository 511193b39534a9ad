import type { CliIo } from "../command.ts";
import { withKeyStore } from "../open-key-store.ts";
import type { KeyRequest } from "./key-flags.ts";
import { newKeyToJson, newKeyToText, recordToJson, summaryOf } from "./show-key.ts";

/** Makes the key and shows it; `imported` takes over a secret that callers have, which is not shown again. */
export async function makeKey(request: KeyRequest, io: CliIo, imported?: string): Promise<void> {
  const made = await withKeyStore(io.env, (store) =>
    request.ifNone ? store.createFirst(request.input, imported) : store.create(request.input, imported),
  );
  if (made === undefined) io.err("There are keys already: nothing was made.\n");
  else if (imported === undefined) io.out(request.json ? newKeyToJson(made) : newKeyToText(made));
  else if (request.json) io.out(`${JSON.stringify(recordToJson(made.record))}\n`);
  else io.out(`Imported: ${summaryOf(made.record)}\n`);
}
