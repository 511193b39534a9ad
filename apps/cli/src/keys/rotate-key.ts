import type { Command } from "../command.ts";
import { withKeyStore } from "../open-key-store.ts";
import { parseKeyId } from "./parse-key-id.ts";
import { newKeyToJson, newKeyToText } from "./show-key.ts";

export const rotateKeyCommand: Command = {
  name: "keys rotate",
  summary: "give a key a new secret; the old one stops working",
  help: `forebay keys rotate KEY_ID [--json]

Gives the key a new secret and prints it, once. The old secret stops working within a second. To change
over without a gap, make a second key, move the callers, then disable the first.
`,
  async run(args, io) {
    const { id, json } = parseKeyId(this.name, args);
    const made = await withKeyStore(io.env, (store) => store.rotate(id));
    io.out(json ? newKeyToJson(made) : newKeyToText(made));
  },
};
