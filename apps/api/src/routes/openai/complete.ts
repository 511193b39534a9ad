import {
  type AnswerShape,
  chatBodySchema,
  completionBodySchema,
  createChatShape,
  createTextShape,
  errorBody,
  OpenaiRefusal,
  present,
  refusalOfFailure,
  toChatRequest,
  toOptions,
} from "@forebay/openai-format";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ServerResponse } from "node:http";
import { awaitCall } from "../../calls/await-call.ts";
import type { Call } from "../../calls/open-call.ts";
import { createSseSender } from "../../calls/sse-sender.ts";
import type { ApiContext, ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { openOpenaiCall, parseOpenaiBody } from "./open-openai-call.ts";

/** `POST /v1/chat/completions` */
export function chatCompletions(deps: JobDeps): ApiHandler {
  return async (context) => {
    const body = parseOpenaiBody(chatBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const job = { request: toChatRequest(body), stream: body.stream === true };
    const { call, serviceTier } = await openOpenaiCall(deps, context, "chat", body, job);
    const head = { id: `chatcmpl-${call.id}`, created: secondsOf(call), model: body.model, serviceTier };
    return answer(context, call, createChatShape(head), body);
  };
}

/** `POST /v1/completions` */
export function completions(deps: JobDeps): ApiHandler {
  return async (context) => {
    const body = parseOpenaiBody(completionBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const options = toOptions(body, body.max_tokens);
    const request = present({ prompt: body.prompt, suffix: body.suffix, options });
    const job = { request, stream: body.stream === true };
    const { call, serviceTier } = await openOpenaiCall(deps, context, "generate", body, job);
    const head = { id: `cmpl-${call.id}`, created: secondsOf(call), model: body.model, serviceTier };
    return answer(context, call, createTextShape(head), body);
  };
}

const secondsOf = (call: Call): number => Math.floor(call.createdAt.getTime() / 1_000);

async function answer(
  context: ApiContext,
  call: Call,
  shape: AnswerShape,
  body: {
    stream?: boolean | null | undefined;
    stream_options?: { include_usage?: boolean | null | undefined } | null | undefined;
  },
): Promise<Response> {
  const { outgoing } = context.env;
  const closed = closedSignal(outgoing);
  if (body.stream) {
    const withUsage = body.stream_options?.include_usage === true;
    return streamAnswer(call, shape, { outgoing, closed, withUsage });
  }
  const job = await awaitCall(call, closed);
  if (!job) throw new OpenaiRefusal(499, "The request was cancelled.", { code: "cancelled" });
  if (job.failure) throw refusalOfFailure(job.failure);
  return jsonResponse(200, shape.whole(job));
}

async function streamAnswer(
  call: Call,
  shape: AnswerShape,
  to: { outgoing: ServerResponse; closed: AbortSignal; withUsage: boolean },
): Promise<Response> {
  const { outgoing, closed, withUsage } = to;
  // Until the first byte the answer may still be an error with a status.
  const send = createSseSender(outgoing);
  const data = (value: object): Promise<void> => send(`data: ${JSON.stringify(value)}\n\n`);
  // A stream that breaks says so: an SDK takes a stream that merely ends for a short answer.
  const fail = (refusal: OpenaiRefusal): Promise<void> => data(errorBody(refusal));

  for await (const event of call.events(closed)) {
    if (event.kind === "delta") await data(shape.delta(event));
    if (event.kind === "idle") await send(": waiting\n\n");
    if (event.kind === "broken")
      await fail(new OpenaiRefusal(500, event.why, { code: "stream_interrupted" }));
    if (event.kind !== "ended") continue;
    const { job } = event;
    if (job.failure && !outgoing.headersSent) throw refusalOfFailure(job.failure);
    if (job.failure) await fail(refusalOfFailure(job.failure));
    else {
      await data(shape.finish(job));
      if (withUsage) await data(shape.usage(job));
      await send("data: [DONE]\n\n");
    }
  }
  if (closed.aborted) await call.cancel();
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}
