import { OpenaiRefusal } from "@forebay/openai-format";
import { Hono } from "hono";
import type { ApiEnv, ApiMiddleware } from "../../http/api-env.ts";
import { answerUnrouted } from "../../http/answer-unrouted.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { refusalOfError } from "../openai/answer-refusal.ts";
import { createMessage } from "./create-message.ts";
import { messageRefusalResponse } from "./message-refusal.ts";

/** Anthropic's API at `/v1/messages`: each call a job, each answer as Anthropic's SDKs expect it. */
export function createAnthropicRoutes(deps: JobDeps, authenticated: ApiMiddleware): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.onError(async (error, context) => {
    const requestId = context.env.outgoing.getHeader("x-request-id")?.toString() ?? context.get("requestId");
    return messageRefusalResponse(await refusalOfError(deps.events, error, context), requestId);
  });
  for (const path of ["/messages", "/messages/*"]) routes.use(path, authenticated);
  routes.post("/messages", createMessage(deps));
  routes.post("/messages/count_tokens", () => {
    throw new OpenaiRefusal(404, "Tokens are not counted here: Ollama counts them only while it answers.");
  });
  const unrouted = answerUnrouted(routes, "/v1");
  for (const path of ["/messages", "/messages/*"]) routes.all(path, unrouted);
  return routes;
}
