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
import type { Call } from "../../calls/open-call.ts";
import { servedBy } from "../../calls/served-by.ts";
import { createSseSender } from "../../calls/sse-sender.ts";
import type { ApiContext, ApiHandler } from "../../http/api-env.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { answerOpenai } from "./answer-openai.ts";
import { openOpenaiCall, parseOpenaiBody } from "./open-openai-call.ts";

/** `POST /v1/chat/completions` */
export function chatCompletions(deps: JobDeps): ApiHandler {
  return async (context) => {
    const body = parseOpenaiBody(chatBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const job = { request: toChatRequest(body), stream: body.stream === true };
    const { call, serviceTier } = await openOpenaiCall(deps, context, "chat", body, job);
    return answer(deps, context, call, createChatShape(headOf("chatcmpl", call, serviceTier)), body);
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
    return answer(deps, context, call, createTextShape(headOf("cmpl", call, serviceTier)), body);
  };
}

const headOf = (kind: string, call: Call, serviceTier: string) => ({
  id: `${kind}-${call.id}`,
  created: Math.floor(call.createdAt.getTime() / 1_000),
  get model() {
    return call.model;
  },
  serviceTier,
});

async function answer(
  deps: JobDeps,
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
  return answerOpenai(deps, context, call, closed, (job) => shape.whole(job));
}

async function streamAnswer(
  call: Call,
  shape: AnswerShape,
  to: { outgoing: ServerResponse; closed: AbortSignal; withUsage: boolean },
): Promise<Response> {
  const { outgoing, closed, withUsage } = to;
  // Until the first byte the answer may still be an error with a status.
  const send = createSseSender(outgoing, () => servedBy(call));
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
  // An SDK comes back only for a stream it has heard nothing of.
  if (closed.aborted) await (outgoing.headersSent ? call.cancel() : call.leave());
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}
