import { parseFlags } from "../command.ts";
import { UsageError } from "../usage-error.ts";

/** `KEY_ID [--json]`. Throws UsageError. */
export function parseKeyId(command: string, args: readonly string[]): { id: string; json: boolean } {
  const { values, positionals } = parseFlags(command, args, { json: { type: "boolean" } }, 1);
  const [id] = positionals;
  if (id === undefined) throw new UsageError("which key? its id is in `forebay keys list`", command);
  return { id, json: values.json ?? false };
}
