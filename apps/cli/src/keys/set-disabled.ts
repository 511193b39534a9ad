import type { Command } from "../command.ts";
import { withKeyStore } from "../open-key-store.ts";
import { parseKeyId } from "./parse-key-id.ts";
import { recordToJson, summaryOf } from "./show-key.ts";

export const disableKeyCommand: Command = {
  name: "keys disable",
  summary: "refuse a key from now on",
  help: `forebay keys disable KEY_ID [--json]

The key is refused within a second. Its jobs stay and run. \`forebay keys enable\` undoes it.
`,
  run: (args, io) => setDisabled(disableKeyCommand.name, true, args, io),
};

export const enableKeyCommand: Command = {
  name: "keys enable",
  summary: "accept a disabled key again",
  help: `forebay keys enable KEY_ID [--json]
`,
  run: (args, io) => setDisabled(enableKeyCommand.name, false, args, io),
};

async function setDisabled(
  command: string,
  disabled: boolean,
  ...[args, io]: Parameters<Command["run"]>
): Promise<void> {
  const { id, json } = parseKeyId(command, args);
  const record = await withKeyStore(io.env, (store) => store.setDisabled(id, disabled));
  if (json) io.out(`${JSON.stringify(recordToJson(record))}\n`);
  else io.out(`${disabled ? "Disabled" : "Enabled"}: ${summaryOf(record)}\n`);
}
