import { OpenaiRefusal, parseBody, refusalOfFailure } from "@forebay/openai-format";
import type { Lane } from "@forebay/queue-contracts";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ServerResponse } from "node:http";
import type { Call } from "../../calls/open-call.ts";
import { servedBy } from "../../calls/served-by.ts";
import { createSseSender } from "../../calls/sse-sender.ts";
import type { ApiHandler } from "../../http/api-env.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { answerOpenai } from "../openai/answer-openai.ts";
import { openOpenaiCall } from "../openai/open-openai-call.ts";
import { createMessageAnswer, type MessageAnswer, type MessageEvent } from "./message-answer.ts";
import { messageBodySchema } from "./message-body.ts";
import { messageErrorBody } from "./message-refusal.ts";
import { toChatRequest } from "./to-chat-request.ts";

/** `POST /v1/messages` */
export function createMessage(deps: JobDeps): ApiHandler {
  return async (context) => {
    const { incoming, outgoing } = context.env;
    const body = parseBody(messageBodySchema, await readJsonBody(incoming, deps.body));
    const { model, stream, metadata, service_tier: tier } = body;
    const named = {
      model,
      user: metadata?.user_id,
      service_tier: tier === "standard_only" ? "default" : undefined,
    };
    const job = { request: toChatRequest(body), stream: stream === true };
    const { call, lane } = await openOpenaiCall(deps, context, "chat", named, job);
    outgoing.setHeader("request-id", call.id);
    const answer = createMessageAnswer(headOf(call, lane));
    const closed = closedSignal(outgoing);
    if (stream) return streamMessage(call, answer, outgoing, closed);
    return answerOpenai(
      deps,
      context,
      call,
      closed,
      (ended) => answer.whole(ended),
      (failure) => messageErrorBody(refusalOfFailure(failure), call.id),
    );
  };
}

const headOf = (call: Call, lane: Lane) => ({
  id: call.id,
  get model() {
    return call.model;
  },
  lane,
});

async function streamMessage(
  call: Call,
  answer: MessageAnswer,
  outgoing: ServerResponse,
  closed: AbortSignal,
): Promise<Response> {
  const write = createSseSender(outgoing, () => servedBy(call));
  // Until the first event the answer may still be an error with a status.
  const send = async (...events: MessageEvent[]): Promise<void> => {
    const all = outgoing.headersSent ? events : [answer.start(), ...events];
    await write(all.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
  };
  const fail = (refusal: OpenaiRefusal): Promise<void> =>
    send(messageErrorBody(refusal, call.id) as MessageEvent);

  for await (const event of call.events(closed)) {
    if (event.kind === "delta") await send(...answer.grow(event));
    if (event.kind === "idle") await send({ type: "ping" });
    if (event.kind === "broken") await fail(new OpenaiRefusal(500, event.why));
    if (event.kind !== "ended") continue;
    const { failure } = event.job;
    if (failure && !outgoing.headersSent) throw refusalOfFailure(failure);
    if (failure) await fail(refusalOfFailure(failure));
    else await send(...answer.finish(event.job));
  }
  // An SDK comes back only for a stream it has heard nothing of.
  if (closed.aborted) await (outgoing.headersSent ? call.cancel() : call.leave());
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}
