import { ForebayError } from "@forebay/client";
import { type Command, parseFlags } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { apiFlags, apiFlagsHelp, openClient, tellRetries } from "../api-flags.ts";
import { describeRefusal } from "./describe-refusal.ts";
import { UsageError } from "../usage-error.ts";

/** A running job ends mostly within a second. Milliseconds. */
const stopMs = 5_000;

export const cancelJobCommand: Command = {
  name: "cancel",
  summary: "stop jobs, whether they wait or run",
  help: `forebay cancel [flags] ID...

Returns when they have stopped. A job that has ended before stays as it is, which is told, with status 1.

${apiFlagsHelp}`,
  async run(args, io) {
    const { values, positionals: ids } = parseFlags(this.name, args, apiFlags, Number.POSITIVE_INFINITY);
    if (ids.length === 0) throw new UsageError("which job? (its id, j…)", this.name);
    const client = openClient(this.name, values, io);
    let refused = 0;
    for (const id of ids) {
      try {
        await client.cancel(id, tellRetries(io));
        const job = await client.wait(id, { timeoutMs: stopMs, ...tellRetries(io) });
        io.out(values.json ? `${JSON.stringify(job)}\n` : `${id} ${job.state}\n`);
      } catch (error) {
        // The others are to be stopped all the same, unless nobody is there.
        if (!(error instanceof ForebayError) || ids.length === 1 || error.status === 0) throw error;
        refused++;
        io.err(`forebay: ${id}: ${describeRefusal(error)}\n`);
      }
    }
    if (refused > 0) throw new CommandError(`${refused} of ${ids.length} jobs could not be cancelled`, 1);
  },
};
