import { type Command, parseFlags } from "../command.ts";
import { apiFlags, apiFlagsHelp, openClient, parseJobId } from "../api-flags.ts";
import { followJob } from "./follow-job.ts";

const watchFlags = { ...apiFlags, "cancel-on-interrupt": { type: "boolean" } } as const;

export const watchJobCommand: Command = {
  name: "watch",
  summary: "show a job's answer while it is made, from its beginning",
  help: `forebay watch [flags] ID

Writes the answer to standard output while it is made, and in a terminal a line of progress beside it. Comes back
by itself when the connection breaks or the server restarts. Ctrl-C leaves the job alone and says how to go on;
Ctrl-C again cancels it. Ends with status 3 if the job ends without a result.

Should a try break off in the middle, the answer begins again, after a line that says so on standard error: for a
file or another program \`submit --wait\` and \`get\` are safer, since they print an answer that is complete.

  --cancel-on-interrupt Ctrl-C cancels the job at once
${apiFlagsHelp}                        (of watch: every event, one a line)
`,
  async run(args, io) {
    const { values, positionals } = parseFlags(this.name, args, watchFlags, 1);
    const id = parseJobId(this.name, positionals);
    await followJob(openClient(this.name, values, io), id, io, {
      output: values.json ? "events" : "text",
      tokensMax: undefined,
      cancelOnInterrupt: values["cancel-on-interrupt"] ?? false,
    });
  },
};
