import { canonicalModelName } from "@forebay/queue-contracts";
import { z } from "zod";
import { CallFailedError } from "../ollama/call-failure.ts";
import type { OllamaClient } from "../ollama/ollama-client.ts";
import type { LoadedModel, Resident } from "./residency.ts";

const modelListSchema = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        digest: z.string().optional(),
        size: z.number().optional(),
        modified_at: z.string().optional(),
        details: z.record(z.string(), z.unknown()).optional(),
        context_length: z.number().optional(),
      }),
    )
    .nullish(),
});

/** A model as a host lists it; `loaded`: in its memory now. Names are canonical. */
export type DiscoveredModel = LoadedModel & {
  digest?: string | undefined;
  size?: number | undefined;
  modified_at?: string | undefined;
  details?: Record<string, unknown> | undefined;
  /** Names of its architecture. */ families: readonly string[];
  loaded: boolean;
  /** The host said, when it was asked to run it, that it does not have it. */ lost?: boolean;
};

export type Discovery = { version: string | undefined; models: DiscoveredModel[] };

const timeoutMs = 5_000;
const familiesSchema = z.object({ family: z.string().nullish(), families: z.array(z.string()).nullish() });

/** Asks a host for its version, its models and which of them are loaded. Throws CallFailedError, ZodError. */
export async function discoverBackend(client: OllamaClient): Promise<Discovery> {
  const [version, tags, loaded] = await Promise.all([
    client.get("/api/version", timeoutMs),
    client.get("/api/tags", timeoutMs),
    readLoaded(client),
  ]);
  const inMemory = new Map(loaded.map((model) => [model.name, model]));
  const models = (modelListSchema.parse(tags).models ?? []).map((model) => {
    const name = canonicalModelName(model.name);
    const { data } = familiesSchema.safeParse(model.details);
    const families = [...(data?.families ?? []), ...(data?.family ? [data.family] : [])];
    const contextLength = inMemory.get(name)?.contextLength;
    const { digest, size, modified_at, details } = model;
    const loadedNow = inMemory.has(name);
    return { name, digest, size, modified_at, details, families, contextLength, loaded: loadedNow };
  });
  return { version: z.object({ version: z.string() }).safeParse(version).data?.version, models };
}

/** What is in a host's memory. A model that is still being loaded is not. Throws CallFailedError, ZodError. */
export async function readLoaded(client: OllamaClient): Promise<LoadedModel[]> {
  const { models } = modelListSchema.parse(await client.get("/api/ps", timeoutMs));
  return (models ?? []).map(({ name, context_length }) => ({
    name: canonicalModelName(name),
    contextLength: context_length,
  }));
}

/**
 * Whether a loaded model still answers: one token, or one embedding where it writes none, with the options it
 * was loaded with, since others would load it again.
 */
export async function isAlive(client: OllamaClient, as: Resident, limitMs: number): Promise<boolean> {
  const { model, runner } = as;
  const signal = AbortSignal.timeout(limitMs);
  const call = async (path: string, body: Record<string, unknown>): Promise<void> => {
    for await (const _ of await client.post(path, { model, ...body }, signal)) continue;
  };
  try {
    await call("/api/generate", { prompt: ".", stream: false, options: { ...runner, num_predict: 1 } });
    return true;
  } catch (error) {
    if (!isRefusal(error)) return false;
  }
  return call("/api/embed", { input: ".", options: runner }).then(
    () => true,
    () => false,
  );
}

/** It was not even tried: the model does not generate. */
const isRefusal = (error: unknown): boolean =>
  error instanceof CallFailedError && error.failure.kind === "status" && error.failure.status === 400;
