import { type Command, parseFlags } from "../command.ts";
import { withKeyStore } from "../open-key-store.ts";
import { recordsToTable, recordToJson } from "./show-key.ts";

export const listKeysCommand: Command = {
  name: "keys list",
  summary: "show the keys there are (never the secrets)",
  help: `forebay keys list [--json]

Shows every key: what it is for and what it may do, oldest first. Secrets are not stored.
`,
  async run(args, io) {
    const { values } = parseFlags(this.name, args, { json: { type: "boolean" } }, 0);
    const records = await withKeyStore(io.env, (store) => store.list());
    records.sort((a, b) => a.created_at.localeCompare(b.created_at));
    if (values.json) io.out(`${JSON.stringify(records.map(recordToJson))}\n`);
    else if (records.length === 0)
      io.out("There are no keys: the API listens on loopback and asks nobody.\n");
    else io.out(recordsToTable(records, Date.now()));
  },
};
