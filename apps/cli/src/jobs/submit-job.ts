import type { Command } from "../command.ts";
import { openClient, tellRetries } from "../api-flags.ts";
import { followJob } from "./follow-job.ts";
import { readPrompt } from "./read-prompt.ts";
import { parseSubmitFlags, submitFlagsHelp } from "./submit-flags.ts";

export const submitJobCommand: Command = {
  name: "submit",
  summary: "put a prompt on the queue, and watch or wait for its answer if asked to",
  help: `forebay submit [flags] PROMPT
forebay submit [flags] < prompt.txt

Prints the id of the job, or its answer with --watch or --wait. The request is repeated safely while the server
is busy or out of reach: there will be one job.

${submitFlagsHelp}
  forebay submit --watch "Why is the sky blue?"
  ID=$(forebay submit --model llama3.2:3b --option num_predict=200 --lane batch < prompt.txt)
`,
  async run(args, io) {
    const { flags, prompt, job } = parseSubmitFlags(this.name, args);
    const client = openClient(this.name, flags, io);
    const view = await client.submit(
      { ...job, prompt: await readPrompt(this.name, prompt, io) },
      { idempotencyKey: flags["idempotency-key"], ...tellRetries(io) },
    );
    const id = view.job_id;
    if (flags.watch || flags.wait) {
      return followJob(client, id, io, {
        output: outputOf(flags),
        tokensMax: job.options?.num_predict,
        cancelOnInterrupt: flags["cancel-on-interrupt"] ?? false,
      });
    }
    io.out(flags.json ? `${JSON.stringify(view)}\n` : `${id}\n`);
    if (io.terminal.out) io.err(`Follow it: forebay watch ${id}\n`);
  },
};

function outputOf({ json, wait }: { json?: boolean; wait?: boolean }): "text" | "events" | "answer" | "job" {
  if (wait) return json ? "job" : "answer";
  return json ? "events" : "text";
}
