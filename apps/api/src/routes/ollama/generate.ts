import type { Caller } from "../../auth/caller.ts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { resolveModel } from "../../models/resolve-model.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { isLoadRequest, parseOllamaBody } from "./ollama-body.ts";
import { serveCall } from "./serve-call.ts";

/** `POST /api/generate` and `POST /api/chat` */
export function generate(deps: JobDeps, type: "generate" | "chat"): ApiHandler {
  return async (context) => {
    const body = parseOllamaBody(
      type,
      await readJsonBody(context.env.incoming, { ...deps.body, anyType: true }),
    );
    if (isLoadRequest(type, body)) return answerLoad(deps, context.get("caller"), type, body);
    return serveCall(deps, context, type, body);
  };
}

/** Nothing to generate. Which models are loaded is decided by what waits for them, so this changes nothing. */
async function answerLoad(
  deps: JobDeps,
  caller: Caller,
  type: "generate" | "chat",
  body: { model: string; keep_alive?: unknown },
): Promise<Response> {
  const { model } = resolveModel(deps.jobs.names, caller, body.model);
  await deps.models.require(model);
  const said = type === "generate" ? { response: "" } : { message: { role: "assistant", content: "" } };
  const done_reason = body.keep_alive === 0 ? "unload" : "load";
  return jsonResponse(200, {
    model,
    created_at: new Date().toISOString(),
    ...said,
    done: true,
    done_reason,
  });
}
