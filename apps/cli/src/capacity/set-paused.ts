import { apiFlags, apiFlagsHelp, openClient, tellRetries } from "../api-flags.ts";
import { type Command, parseFlags } from "../command.ts";
import { UsageError } from "../usage-error.ts";

export const pauseModelCommand: Command = {
  name: "capacity pause",
  summary: "let a model's jobs wait, on all hosts",
  help: `forebay capacity pause [flags] MODEL

What runs is finished. New jobs are accepted, and wait until \`forebay capacity resume\`, over restarts of everything.

${apiFlagsHelp}`,
  run: (args, io) => setPaused(pauseModelCommand.name, true, args, io),
};

export const resumeModelCommand: Command = {
  name: "capacity resume",
  summary: "run a paused model's jobs again",
  help: `forebay capacity resume [flags] MODEL

${apiFlagsHelp}`,
  run: (args, io) => setPaused(resumeModelCommand.name, false, args, io),
};

async function setPaused(
  command: string,
  paused: boolean,
  ...[args, io]: Parameters<Command["run"]>
): Promise<void> {
  const { values, positionals } = parseFlags(command, args, apiFlags, 1);
  if (positionals[0] === undefined) {
    throw new UsageError("which model? its name is in `forebay capacity`", command);
  }
  const model = await openClient(command, values, io).setPaused(positionals[0], paused, tellRetries(io));
  if (values.json) io.out(`${JSON.stringify({ model, paused })}\n`);
  else io.out(`${model} is ${paused ? "paused" : "resumed"}\n`);
}
