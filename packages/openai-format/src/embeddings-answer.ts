import type { AnsweredJob } from "./completion-answer.ts";

/** `POST /v1/embeddings` */
export function embeddingsAnswer(
  job: AnsweredJob,
  body: { model: string; encoding_format?: "float" | "base64" | null | undefined },
): object {
  const vectors = job.result?.type === "embed" ? job.result.embeddings : [];
  const data = vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: body.encoding_format === "base64" ? toBase64(vector) : vector,
  }));
  const prompt_tokens = job.result?.usage.prompt_tokens ?? 0;
  return { object: "list", data, model: body.model, usage: { prompt_tokens, total_tokens: prompt_tokens } };
}

/** Little-endian 32-bit floats, as OpenAI packs them. */
function toBase64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}
