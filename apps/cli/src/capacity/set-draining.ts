import { apiFlags, apiFlagsHelp, openClient, tellRetries } from "../api-flags.ts";
import { type Command, parseFlags } from "../command.ts";
import { UsageError } from "../usage-error.ts";

export const drainBackendCommand: Command = {
  name: "capacity drain",
  summary: "give a host nothing new, before it is updated or switched off",
  help: `forebay capacity drain [flags] HOST

What runs there is finished; its jobs go to other hosts, or wait. \`forebay capacity\` says \`drained\` once nothing runs.
Holds over restarts of everything until \`forebay capacity undrain\`.

${apiFlagsHelp}`,
  run: (args, io) => setDraining(drainBackendCommand.name, true, args, io),
};

export const undrainBackendCommand: Command = {
  name: "capacity undrain",
  summary: "use a drained host again",
  help: `forebay capacity undrain [flags] HOST

${apiFlagsHelp}`,
  run: (args, io) => setDraining(undrainBackendCommand.name, false, args, io),
};

async function setDraining(
  command: string,
  draining: boolean,
  ...[args, io]: Parameters<Command["run"]>
): Promise<void> {
  const { values, positionals } = parseFlags(command, args, apiFlags, 1);
  const [backend] = positionals;
  if (backend === undefined) throw new UsageError("which host? its name is in `forebay capacity`", command);
  await openClient(command, values, io).setDraining(backend, draining, tellRetries(io));
  if (values.json) io.out(`${JSON.stringify({ backend, draining })}\n`);
  else io.out(`${backend} is ${draining ? "given nothing new" : "used again"}\n`);
}
