import { apiFlags, apiFlagsHelp, openClient, tellRetries } from "../api-flags.ts";
import { type Command, parseFlags } from "../command.ts";
import { describeCapacity } from "./describe-capacity.ts";

export const showCapacityCommand: Command = {
  name: "capacity",
  summary: "show hosts, slots, loaded models, and what waits for them",
  help: `forebay capacity [flags]

Shows each Ollama host with the models it has, as workers told within the last seconds, and what waits for each
model. Needs a key of an operator or admin, where there are keys.

  MEMORY   whether the model is loaded there; out: left alone for a while, after failures
  SLOTS    how many of its jobs run there at once; BUSY: how many do
  WORK     time of a slot that the waiting jobs are expected to take
  STARTS   when a job that is put at the end of the line now would start; unknown: no host that is up has the model

${apiFlagsHelp}`,
  async run(args, io) {
    const { values } = parseFlags(this.name, args, apiFlags, 0);
    const capacity = await openClient(this.name, values, io).capacity(tellRetries(io));
    io.out(values.json ? `${JSON.stringify(capacity)}\n` : describeCapacity(capacity));
  },
};
