import { type Command, parseFlags } from "../command.ts";
import { apiFlags, apiFlagsHelp, openClient, parseJobId, tellRetries } from "../api-flags.ts";
import { describeJob } from "./describe-job.ts";

export const getJobCommand: Command = {
  name: "get",
  summary: "show where a job is, where it has been, and its answer",
  help: `forebay get [flags] ID

Ends with status 0 also for a job that failed: that the job is known is what was asked for.

${apiFlagsHelp}`,
  async run(args, io) {
    const { values, positionals } = parseFlags(this.name, args, apiFlags, 1);
    const id = parseJobId(this.name, positionals);
    const job = await openClient(this.name, values, io).get(id, tellRetries(io));
    io.out(values.json ? `${JSON.stringify(job)}\n` : describeJob(job));
  },
};
