import type { ApiHandler } from "../../http/api-env.ts";
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
    const request = { ...rest, input: prompt, stream: false } as never;
    return serveCall(deps, context, "embed", request, (_, { result }) => ({
      embedding: (result?.type === "embed" ? result.embeddings[0] : undefined) ?? [],
    }));
  };
}
