import type { Exchange } from "../http/exchange.ts";
import type { Lease } from "../scheduler/loaded-runners.ts";
import { createEmbedding } from "../text/create-embedding.ts";
import type { World } from "../world.ts";
import { EmbeddingError, runnerGone } from "./embedding-error.ts";
import { fitInput } from "./fit-input.ts";
import type { InferenceJob, Metrics } from "./inference-job.ts";
import { holdRunner } from "./serve-inference.ts";
import { strikeEmbedding } from "./strike-embedding.ts";

export type EmbedJob = Pick<InferenceJob, "model" | "options" | "keepAliveMs" | "truncate" | "faults"> & {
  inputs: readonly string[];
  /** 0: all there are. */
  dimensions: number;
};

type Embedded = { vector: number[]; tokens: number };

export async function embedTexts(world: World, exchange: Exchange, job: EmbedJob) {
  const lease = await holdRunner(world, exchange, job);
  try {
    const loadedAt = world.clock.now();
    const embedded = await embedAll(world, exchange, job, lease);
    const metrics: Metrics = {
      totalMs: world.clock.now() - exchange.startedAt,
      loadMs: loadedAt - exchange.startedAt,
      promptTokens: embedded.reduce((sum, { tokens }) => sum + tokens, 0),
      promptMs: 0,
      tokens: 0,
      decodeMs: 0,
    };
    return { vectors: embedded.map(({ vector }) => vector), metrics };
  } finally {
    lease.release();
  }
}

/** Every input is a run of its own on the model's one slot; the first that fails takes the others with it. */
async function embedAll(world: World, exchange: Exchange, job: EmbedJob, lease: Lease): Promise<Embedded[]> {
  const failed = new AbortController();
  const crash = lease.runner.crash.signal;
  const signal = AbortSignal.any([exchange.signal, crash, failed.signal]);
  try {
    return await Promise.all(
      job.inputs.map((input, index) =>
        embedOne(world, exchange, job, lease, { input, first: index === 0, signal }),
      ),
    );
  } catch (error) {
    failed.abort(error);
    if (crash.aborted && !exchange.signal.aborted) throw new EmbeddingError(runnerGone);
    throw error;
  }
}

async function embedOne(
  world: World,
  exchange: Exchange,
  { model, truncate, dimensions, faults }: EmbedJob,
  { runner }: Lease,
  { input, first, signal }: { input: string; first: boolean; signal: AbortSignal },
): Promise<Embedded> {
  const leave = await runner.slots.acquire(signal);
  world.counters.enter(model.name);
  try {
    const { text, tokens } = fitInput(input, runner.numCtx, truncate);
    await world.gpu.prefill(tokens, signal);
    if (first) await strikeEmbedding(world, exchange, faults, runner, signal);
    world.counters.add("prompt_tokens", model.name, tokens);
    return { vector: createEmbedding(text, model.name, model.embeddingLength, dimensions), tokens };
  } finally {
    world.counters.leave(model.name);
    leave();
  }
}
