import { type Exchange, replyJson } from "../http/exchange.ts";
import { OllamaError } from "../http/ollama-error.ts";
import type { ModelCard } from "../models/model-card.ts";
import type { Lease } from "../scheduler/loaded-runners.ts";
import { QueueFullError } from "../scheduler/scheduler.ts";
import type { World } from "../world.ts";
import type { InferenceJob } from "./inference-job.ts";
import { runInference } from "./run-inference.ts";
import { createRunnerRequest } from "./create-runner-request.ts";
import { openStreamReply } from "./stream-reply.ts";
import type { Surface } from "./surface.ts";
import { openWholeReply } from "./whole-reply.ts";

/** Load, generate, answer. Throws an OllamaError for what goes wrong before generation starts. */
export async function serveInference(
  world: World,
  exchange: Exchange,
  job: InferenceJob,
  surface: Surface,
  stream: boolean,
): Promise<"completed" | "failed"> {
  const lease = await holdRunner(world, exchange, job);
  try {
    const times = { startedAt: exchange.startedAt, loadedAt: world.clock.now() };
    const reply = stream ? openStreamReply(exchange, surface) : openWholeReply(exchange, surface);
    await runInference(world, job, lease, times, exchange.signal, reply.emit);
    return reply.outcome();
  } finally {
    lease.release();
  }
}

/** Without a prompt there is nothing to generate: the model is loaded, and that is said. */
export async function load(
  world: World,
  exchange: Exchange,
  job: InferenceJob,
  surface: Surface,
): Promise<"completed"> {
  (await holdRunner(world, exchange, job)).release();
  replyJson(exchange, 200, surface.empty("load"));
  return "completed";
}

/** Answers at once; the model goes when nobody uses it any more. */
export function unload(world: World, exchange: Exchange, model: ModelCard, surface: Surface): "completed" {
  world.scheduler.expire(model);
  replyJson(exchange, 200, surface.empty("unload"));
  return "completed";
}

export async function holdRunner(
  world: World,
  exchange: Exchange,
  job: Pick<InferenceJob, "model" | "options" | "keepAliveMs" | "faults">,
): Promise<Lease> {
  try {
    return await world.scheduler.schedule(createRunnerRequest(job), exchange.signal);
  } catch (error) {
    if (exchange.signal.aborted || error instanceof OllamaError) throw error;
    if (error instanceof QueueFullError) world.counters.add("rejected", job.model.name);
    throw new OllamaError(
      error instanceof QueueFullError ? 503 : 500,
      error instanceof Error ? error.message : String(error),
    );
  }
}
