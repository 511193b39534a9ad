import { z } from "zod";
import type { LocalConfig } from "./local-config.ts";

export interface OllamaChoice {
  kind: "configured" | "found" | "simulator";
  /** As in OLLAMA_URLS; undefined for a simulator that is not started yet. */
  urls: string | undefined;
  /** Models that generate text, of the first backend that answers. */
  models: readonly string[];
  /** Configured, but nobody answers there (yet). */
  silent: boolean;
}

const usualUrl = "http://127.0.0.1:11434";
const answerTimeoutMs = 2_000;

const tagsSchema = z.object({
  models: z.array(z.object({ name: z.string(), capabilities: z.array(z.string()).optional() })),
});

/** The Ollama of OLLAMA_URLS, else the one at Ollama's usual address, else the simulator. */
export async function chooseOllama({ ollamaUrls }: Pick<LocalConfig, "ollamaUrls">): Promise<OllamaChoice> {
  if (ollamaUrls !== undefined) {
    const models = await findModels(ollamaUrls);
    return { kind: "configured", urls: ollamaUrls, models: models ?? [], silent: models === undefined };
  }
  const models = await findModels(usualUrl);
  if (models !== undefined) return { kind: "found", urls: usualUrl, models, silent: false };
  return { kind: "simulator", urls: undefined, models: [], silent: false };
}

async function findModels(urls: string): Promise<string[] | undefined> {
  for (const entry of urls.split(",")) {
    const models = await listModels(entry.trim().replace(/^[\w.-]+=/, ""));
    if (models !== undefined) return models;
  }
  return undefined;
}

async function listModels(url: string): Promise<string[] | undefined> {
  try {
    const answer = await fetch(new URL("/api/tags", url), { signal: AbortSignal.timeout(answerTimeoutMs) });
    const { models } = tagsSchema.parse(await answer.json());
    return models.filter(generatesText).map(({ name }) => name);
  } catch {
    return undefined;
  }
}

// Older versions list no capabilities; embedding models then give themselves away by their name.
function generatesText(model: { name: string; capabilities?: string[] | undefined }): boolean {
  return model.capabilities?.includes("completion") ?? !/embed|bge-|minilm/i.test(model.name);
}
