import type { ModelCard } from "@forebay/queue-bullmq";
import { z } from "zod";
import type { OllamaClient } from "../ollama/ollama-client.ts";

/** Longest answer that is read; licenses and lists of tensors make it long. */
const answerBytesMax = 8 * 1024 * 1024;
/** Longest template or list of parameters that is passed on: real ones have a few thousand characters. */
const textCharsMax = 32 * 1024;
const infoCharsMax = 256;
const infoEntriesMax = 200;

const answerSchema = z.object({
  capabilities: z.array(z.string()).nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
  parameters: z.string().nullish(),
  template: z.string().nullish(),
});

/** Asks a host about a model. Throws CallFailedError, ZodError, SyntaxError, RangeError. */
export async function readModelCard(
  client: OllamaClient,
  model: string,
  timeoutMs: number,
): Promise<ModelCard> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of await client.post("/api/show", { model }, AbortSignal.timeout(timeoutMs))) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > answerBytesMax) throw new RangeError("the answer of /api/show is too long");
  }
  return toCard(JSON.parse(Buffer.concat(chunks).toString("utf8")));
}

/** Throws ZodError. */
export function toCard(answer: unknown): ModelCard {
  const { capabilities, model_info, parameters, template } = answerSchema.parse(answer);
  return {
    capabilities: capabilities ?? [],
    model_info: Object.fromEntries(
      Object.entries(model_info ?? {})
        .filter(isShort)
        .slice(0, infoEntriesMax),
    ),
    parameters: shortOrNothing(parameters),
    template: shortOrNothing(template),
  };
}

/** Vocabularies and the like are lists, or text as long as one. */
function isShort(entry: [string, unknown]): entry is [string, string | number | boolean] {
  const [, value] = entry;
  if (typeof value === "string") return value.length <= infoCharsMax;
  return typeof value === "number" || typeof value === "boolean";
}

/** Half a template would be a wrong one. */
function shortOrNothing(text: string | null | undefined): string {
  return text && text.length <= textCharsMax ? text : "";
}
