import type { Command } from "../command.ts";
import { keyFlagsHelp, parseKeyFlags } from "./key-flags.ts";
import { makeKey } from "./make-key.ts";

export const createKeyCommand: Command = {
  name: "keys create",
  summary: "make an API key and show it, once",
  help: `forebay keys create --name NAME --tenant TENANT [flags]

Makes an API key and prints it. Only its SHA-256 is stored, so it cannot be shown again.
From the first key on, the API answers nobody without one.

${keyFlagsHelp}
  forebay keys create --name ci --tenant acme
  forebay keys create --name ops --tenant platform --role operator --expires 90d
`,
  async run(args, io) {
    await makeKey(parseKeyFlags(this.name, args, Date.now()), io);
  },
};
