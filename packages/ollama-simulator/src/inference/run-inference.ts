import type { Answer } from "../answer/answer.ts";
import { OllamaError } from "../http/ollama-error.ts";
import type { Lease } from "../scheduler/loaded-runners.ts";
import { UnusableSchemaError } from "../schema/schema.ts";
import type { World } from "../world.ts";
import { type Generated, generateAnswer } from "./generate-answer.ts";
import type { Emit } from "./inference-event.ts";
import type { InferenceJob, Metrics } from "./inference-job.ts";

export type Times = { startedAt: number; loadedAt: number };

/** Generates on a runner that is held. Rejects only when the client goes or the server is cut off. */
export async function runInference(
  world: World,
  job: InferenceJob,
  lease: Lease,
  times: Times,
  client: AbortSignal,
  emit: Emit,
): Promise<void> {
  const crash = lease.runner.crash.signal;
  const signal = AbortSignal.any([client, crash]);
  let begun = false;
  const watch: Emit = (event) => {
    begun = true;
    return emit(event);
  };
  try {
    await runAll(world, job, lease, times, signal, watch);
  } catch (error) {
    if (client.aborted) throw error;
    if (crash.aborted)
      await emit({ kind: "error", status: 500, message: begun ? crashedMidStream : textOf(crash.reason) });
    else if (error instanceof OllamaError)
      await emit({ kind: "error", status: error.status, message: error.message });
    else throw error;
  }
}

const crashedMidStream = "an error was encountered while running the model: unexpected EOF";

/** Each answer takes a slot of its own; what is told at the end is about the last one. */
async function runAll(
  world: World,
  job: InferenceJob,
  lease: Lease,
  times: Times,
  signal: AbortSignal,
  emit: Emit,
) {
  const answers = planAnswers(job, lease.runner.numCtx);
  for (const answer of answers) {
    const generated = await generateAnswer(world, job, lease, answer, signal, emit);
    if (generated === undefined) return;
    if (answer === answers.at(-1))
      await emit({
        kind: "done",
        reason: answer.doneReason,
        metrics: toMetrics(generated, times, world.clock.now()),
      });
  }
}

function toMetrics(generated: Generated, { startedAt, loadedAt }: Times, now: number): Metrics {
  return { ...generated, totalMs: now - startedAt, loadMs: loadedAt - startedAt };
}

/** A schema that cannot be turned into a grammar is llama-server's to refuse: its answer is passed on as a string. */
function planAnswers(job: InferenceJob, numCtx: number): Answer[] {
  try {
    return job.plan(numCtx);
  } catch (error) {
    if (!(error instanceof UnusableSchemaError)) throw error;
    const message = `JSON schema conversion failed:\n${error.message}`;
    throw new OllamaError(
      400,
      JSON.stringify({ error: { code: 400, message, type: "invalid_request_error" } }),
    );
  }
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
