import type { Exchange } from "../http/exchange.ts";
import type { Runner } from "../scheduler/runner.ts";
import { createEmbedding } from "../text/create-embedding.ts";
import type { World } from "../world.ts";
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

/** Every input is a run of its own on the model's one slot. */
export async function embedTexts(world: World, exchange: Exchange, job: EmbedJob) {
  const lease = await holdRunner(world, exchange, job);
  try {
    const loadedAt = world.clock.now();
    const embedded = await Promise.all(
      job.inputs.map((input) => embedOne(world, exchange, job, lease.runner, input)),
    );
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

async function embedOne(
  world: World,
  exchange: Exchange,
  job: EmbedJob,
  runner: Runner,
  input: string,
): Promise<Embedded> {
  const { model } = job;
  const signal = AbortSignal.any([exchange.signal, runner.crash.signal]);
  const leave = await runner.slots.acquire(signal);
  world.counters.enter(model.name);
  try {
    const { text, tokens } = fitInput(input, runner.numCtx, job.truncate);
    await world.gpu.prefill(tokens, signal);
    await strikeEmbedding(world, exchange, job.faults, runner, signal);
    world.counters.add("prompt_tokens", model.name, tokens);
    return { vector: createEmbedding(text, model.name, model.embeddingLength, job.dimensions), tokens };
  } finally {
    world.counters.leave(model.name);
    leave();
  }
}
