import { text } from "node:stream/consumers";
import type { CliIo, Command } from "../command.ts";
import { UsageError } from "../usage-error.ts";
import { keyFlagsHelp, parseKeyFlags } from "./key-flags.ts";
import { makeKey } from "./make-key.ts";

const secretLengthMin = 16;
const secretLengthMax = 512;
const allowWeakFlag = "--allow-weak";

export const importKeyCommand: Command = {
  name: "keys import",
  summary: "accept a secret that callers already send (read from standard input)",
  help: `forebay keys import --name NAME --tenant TENANT [flags] < secret.txt

Takes over a secret that callers already send (in X-Ollama-Key, say), so that they move over unchanged.
It is read from standard input and never from the command line, where others could see it. Only its
SHA-256 is stored: of a short secret that can be guessed back.

${keyFlagsHelp}  --allow-weak          accept a secret of fewer than ${secretLengthMin} characters

  printenv OLLAMA_SECRET | forebay keys import --name legacy --tenant acme
`,
  async run(args, io) {
    const request = parseKeyFlags(
      this.name,
      args.filter((arg) => arg !== allowWeakFlag),
      Date.now(),
    );
    await makeKey(request, io, await readSecret(io, args.includes(allowWeakFlag)));
  },
};

async function readSecret(io: CliIo, allowWeak: boolean): Promise<string> {
  if (io.stdin.isTTY) io.err("Type the secret, press Enter, then Ctrl-D:\n");
  const secret = (await text(io.stdin)).trim();
  const problem = problemOf(secret, allowWeak);
  if (problem !== undefined) throw new UsageError(problem, importKeyCommand.name);
  return secret;
}

function problemOf(secret: string, allowWeak: boolean): string | undefined {
  if (secret === "") return "no secret came from standard input";
  // Anything else does not survive in an HTTP header.
  if (!/^[\x21-\x7e]+$/.test(secret)) return "the secret must be visible ASCII characters without spaces";
  if (secret.length > secretLengthMax) return `the secret is longer than ${secretLengthMax} characters`;
  if (secret.length < secretLengthMin && !allowWeak) {
    return `a secret of ${secret.length} characters can be guessed: at least ${secretLengthMin}, or ${allowWeakFlag}`;
  }
  return undefined;
}
