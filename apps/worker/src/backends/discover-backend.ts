import { canonicalModelName } from "@forebay/queue-contracts";
import { z } from "zod";
import type { OllamaClient } from "../ollama/ollama-client.ts";

const modelListSchema = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        digest: z.string().optional(),
        size: z.number().optional(),
        modified_at: z.string().optional(),
        details: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .nullish(),
});

/** A model as a host lists it; `loaded`: in its memory now. Names are canonical. */
export type DiscoveredModel = {
  name: string;
  digest?: string | undefined;
  size?: number | undefined;
  modified_at?: string | undefined;
  details?: Record<string, unknown> | undefined;
  loaded: boolean;
};

export type Discovery = { version: string | undefined; models: DiscoveredModel[] };

const timeoutMs = 5_000;

/** Asks a host for its version, its models and which of them are loaded. Throws CallFailedError, ZodError. */
export async function discoverBackend(client: OllamaClient): Promise<Discovery> {
  const [version, tags, loaded] = await Promise.all([
    client.get("/api/version", timeoutMs),
    client.get("/api/tags", timeoutMs),
    client.get("/api/ps", timeoutMs),
  ]);
  const inMemory = new Set(
    modelListSchema.parse(loaded).models?.map((model) => canonicalModelName(model.name)),
  );
  const models = (modelListSchema.parse(tags).models ?? []).map((model) => {
    const name = canonicalModelName(model.name);
    return { ...model, name, loaded: inMemory.has(name) };
  });
  return { version: z.object({ version: z.string() }).safeParse(version).data?.version, models };
}
