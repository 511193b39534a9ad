import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { parseOllamaBody } from "./ollama-body.ts";
import { serveCall } from "./serve-call.ts";

/** `POST /api/embed` */
export function embed(deps: JobDeps): ApiHandler {
  return async (context) => {
    const body = await readJsonBody(context.env.incoming, { ...deps.body, anyType: true });
    return serveCall(deps, context, "embed", parseOllamaBody("embed", body));
  };
}

/** `POST /api/embeddings`, the older one: one text, one vector. */
export function embeddings(deps: JobDeps): ApiHandler {
  return async (context) => {
    const body = await readJsonBody(context.env.incoming, { ...deps.body, anyType: true });
    const { prompt, ...rest } = parseOllamaBody("embeddings", body);
    const answer = await serveCall(deps, context, "embed", {
      ...rest,
      input: prompt,
      stream: false,
    } as never);
    if (answer.status !== 200) return answer;
    const { embeddings: vectors } = (await answer.json()) as { embeddings: number[][] };
    return jsonResponse(200, { embedding: vectors[0] ?? [] });
  };
}
