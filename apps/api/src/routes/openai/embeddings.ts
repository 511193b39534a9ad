import { awaitCall } from "../../calls/await-call.ts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { embeddingsBodySchema } from "./chat-body.ts";
import { openOpenaiCall, parseOpenaiBody } from "./open-openai-call.ts";
import { OpenaiRefusal, refusalOfFailure } from "./openai-refusal.ts";
import { present } from "./to-ollama-request.ts";

/** `POST /v1/embeddings` */
export function embeddings(deps: JobDeps): ApiHandler {
  return async (context) => {
    const body = parseOpenaiBody(embeddingsBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const request = present({ input: body.input, dimensions: body.dimensions });
    const { call } = await openOpenaiCall(deps, context, "embed", body, { request, stream: false });
    const job = await awaitCall(call, closedSignal(context.env.outgoing));
    if (!job) throw new OpenaiRefusal(499, "The request was cancelled.", { code: "cancelled" });
    if (job.failure) throw refusalOfFailure(job.failure);
    const vectors = job.result?.type === "embed" ? job.result.embeddings : [];
    const data = vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: body.encoding_format === "base64" ? toBase64(vector) : vector,
    }));
    const prompt_tokens = job.result?.usage.prompt_tokens ?? 0;
    const usage = { prompt_tokens, total_tokens: prompt_tokens };
    return jsonResponse(200, { object: "list", data, model: body.model, usage });
  };
}

/** Little-endian 32-bit floats, as OpenAI packs them. */
function toBase64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}
