import type { Answer, AnswerPart } from "../answer/answer.ts";
import { tokensOf } from "../answer/answer.ts";
import type { TokenSource } from "../gpu/virtual-gpu.ts";
import { OllamaError } from "../http/ollama-error.ts";
import type { Lease } from "../scheduler/scheduler.ts";
import { UnusableSchemaError } from "../schema/schema.ts";
import type { World } from "../world.ts";
import { fitPrompt } from "./fit-prompt.ts";
import type { InferenceEvent } from "./inference-event.ts";
import type { InferenceJob, Metrics } from "./inference-job.ts";
import { planFault } from "./plan-fault.ts";

/** Generates on a runner that is held. Rejects only when the client goes or the server is cut off. */
export async function* runInference(
  world: World,
  job: InferenceJob,
  lease: Lease,
  times: { startedAt: number; loadedAt: number },
  client: AbortSignal,
): AsyncGenerator<InferenceEvent> {
  const crash = lease.runner.crash.signal;
  const signal = AbortSignal.any([client, crash]);
  let any = false;
  try {
    const answers = planAnswers(job);
    for (const [index, answer] of answers.entries()) {
      for await (const event of generate(world, job, lease, answer, signal)) {
        if (event.kind === "generated") {
          if (index === answers.length - 1)
            yield { kind: "done", reason: answer.doneReason, metrics: finish(world, event.metrics, times) };
        } else {
          any ||= event.kind === "parts";
          yield event;
          if (event.kind !== "parts") return;
        }
      }
    }
  } catch (error) {
    if (client.aborted) throw error;
    if (crash.aborted) yield { kind: "error", status: 500, message: crashMessage(any, crash.reason) };
    else if (error instanceof OllamaError)
      yield { kind: "error", status: error.status, message: error.message };
    else throw error;
  }
}

type Generated = { kind: "generated"; metrics: Omit<Metrics, "totalMs" | "loadMs"> };

async function* generate(
  world: World,
  job: InferenceJob,
  lease: Lease,
  answer: Answer,
  signal: AbortSignal,
): AsyncGenerator<InferenceEvent | Generated> {
  const { clock, counters, gpu } = world;
  const name = job.model.name;
  const leave = await lease.runner.slots.acquire(signal);
  counters.enter(name);
  try {
    const promptTokens = fitPrompt(job, lease.runner.numCtx);
    const prefillFrom = clock.now();
    await gpu.prefill(promptTokens, signal);
    counters.add("prompt_tokens", name, promptTokens);
    const decodeFrom = clock.now();
    const source = gpu.decode(signal, slowRate(job));
    const fault = planFault(job.faults);
    let tokens = 0;
    for await (const parts of decode(answer.parts, source, fault?.afterTokens)) {
      const count = parts.reduce((sum, part) => sum + tokensOf(part), 0);
      tokens += count;
      counters.add("tokens", name, count);
      if (parts.length > 0) yield { kind: "parts", parts };
    }
    if (fault !== undefined) yield* fault.strike(world, lease.runner, signal, tokens);
    else {
      const now = clock.now();
      yield {
        kind: "generated",
        metrics: { promptTokens, promptMs: decodeFrom - prefillFrom, tokens, decodeMs: now - decodeFrom },
      };
    }
  } finally {
    counters.leave(name);
    leave();
  }
}

function slowRate({ faults }: InferenceJob): number | undefined {
  const slow = faults.find("slow");
  return slow === undefined ? undefined : (slow.tokens_per_s ?? 1);
}

/** Hands out parts as their tokens come, up to `limit` tokens. */
async function* decode(parts: readonly AnswerPart[], source: TokenSource, limit = Number.POSITIVE_INFINITY) {
  let next = 0;
  let ready = 0;
  let used = 0;
  while (next < parts.length && used < limit) {
    ready += await source.take(Math.min(parts.length - next, limit - used));
    const batch: AnswerPart[] = [];
    for (let part = parts[next]; part !== undefined && tokensOf(part) <= ready; part = parts[next]) {
      if (used >= limit) break;
      batch.push(part);
      ready -= tokensOf(part);
      used += tokensOf(part);
      next++;
    }
    if (batch.length > 0) yield batch;
  }
}

function finish(
  world: World,
  metrics: Omit<Metrics, "totalMs" | "loadMs">,
  times: { startedAt: number; loadedAt: number },
): Metrics {
  return {
    ...metrics,
    totalMs: world.clock.now() - times.startedAt,
    loadMs: times.loadedAt - times.startedAt,
  };
}

function crashMessage(any: boolean, reason: unknown): string {
  const text = reason instanceof Error ? reason.message : String(reason);
  return any ? "an error was encountered while running the model: unexpected EOF" : text;
}

/** A schema that cannot be turned into a grammar is llama-server's to refuse: its answer is passed on as a string. */
function planAnswers(job: InferenceJob): Answer[] {
  try {
    return job.plan();
  } catch (error) {
    if (!(error instanceof UnusableSchemaError)) throw error;
    const message = `JSON schema conversion failed:\n${error.message}`;
    throw new OllamaError(
      400,
      JSON.stringify({ error: { code: 400, message, type: "invalid_request_error" } }),
    );
  }
}
