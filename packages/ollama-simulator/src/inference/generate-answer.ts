import { type Answer, type AnswerPart, tokensOf } from "../answer/answer.ts";
import type { TokenSource } from "../gpu/virtual-gpu.ts";
import type { Lease } from "../scheduler/loaded-runners.ts";
import type { World } from "../world.ts";
import { fitPrompt } from "./fit-prompt.ts";
import type { Emit } from "./inference-event.ts";
import type { InferenceJob, Metrics } from "./inference-job.ts";
import { planFault } from "./plan-fault.ts";

export type Generated = Omit<Metrics, "totalMs" | "loadMs">;

/** One run on one slot: waits for it, reads the prompt, says the answer. Undefined when a fault ended it. */
export async function generateAnswer(
  world: World,
  job: InferenceJob,
  { runner }: Lease,
  answer: Answer,
  signal: AbortSignal,
  emit: Emit,
): Promise<Generated | undefined> {
  const { clock, counters, gpu } = world;
  const leave = await runner.slots.acquire(signal);
  counters.enter(job.model.name);
  try {
    const promptTokens = fitPrompt(job, runner.numCtx);
    const prefillFrom = clock.now();
    await gpu.prefill(promptTokens, signal);
    counters.add("prompt_tokens", job.model.name, promptTokens);
    const decodeFrom = clock.now();
    const fault = planFault(job.faults);
    const source = gpu.decode(signal, slowRate(job));
    const tokens = await say(
      answer.parts,
      source,
      fault?.afterTokens ?? Number.POSITIVE_INFINITY,
      async (parts, count) => {
        counters.add("tokens", job.model.name, count);
        await emit({ kind: "parts", parts });
      },
    );
    if (fault === undefined)
      return { promptTokens, promptMs: decodeFrom - prefillFrom, tokens, decodeMs: clock.now() - decodeFrom };
    await emit(await fault.strike(world, runner, signal, tokens));
    return undefined;
  } finally {
    counters.leave(job.model.name);
    leave();
  }
}

function slowRate({ faults }: InferenceJob): number | undefined {
  const slow = faults.find("slow");
  return slow === undefined ? undefined : (slow.tokens_per_s ?? 1);
}

/** Hands out parts as their tokens come, no more than `limit` tokens; gives how many there were. */
async function say(
  parts: readonly AnswerPart[],
  source: TokenSource,
  limit: number,
  emit: (parts: AnswerPart[], tokens: number) => Promise<void>,
): Promise<number> {
  let left = parts.reduce((sum, part) => sum + tokensOf(part), 0);
  let [next, ready, said] = [0, 0, 0];
  while (next < parts.length && said < limit) {
    ready += await source.take(Math.min(left - ready, limit - said));
    const from = next;
    const before = said;
    for (let part = parts[next]; part !== undefined && tokensOf(part) <= ready; part = parts[++next]) {
      ready -= tokensOf(part);
      said += tokensOf(part);
      if (said >= limit) {
        next++;
        break;
      }
    }
    left -= said - before;
    if (next > from) await emit(parts.slice(from, next), said - before);
  }
  return said;
}
