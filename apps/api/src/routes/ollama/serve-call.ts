import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ServerResponse } from "node:http";
import type { JobRecord } from "@forebay/queue-bullmq";
import { inferenceJobSchema, type InferenceJob, type ModelOptions } from "@forebay/queue-contracts";
import { answerWhole } from "../../calls/answer-whole.ts";
import { parseCallHeaders } from "../../calls/parse-call-headers.ts";
import { detached } from "../../calls/detached.ts";
import { type Call, openCall } from "../../calls/open-call.ts";
import { servedBy } from "../../calls/served-by.ts";
import type { ApiContext } from "../../http/api-env.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import { viewOwnJob } from "../jobs/view-own-job.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { parsePrefer } from "../jobs/parse-prefer.ts";
import { chooseLane, normalisedOptions } from "../jobs/resolve-job.ts";
import { deltaLine, embedAnswer, finalLine, nothingNew, wholeAnswer } from "./ollama-answer.ts";
import { OllamaRefusal, refusalOfFailure } from "./ollama-refusal.ts";

/** A silent client gives up after some minutes, a proxy after one: so often it hears that we live. */
const heartbeatMs = 15_000;

/** Runs one call of Ollama's API as a job, and answers as Ollama would. Throws Problem, OllamaRefusal. */
export async function serveCall(
  deps: JobDeps,
  context: ApiContext,
  type: InferenceJob["type"],
  body: { model: string; stream: boolean; options?: ModelOptions | undefined },
  answer: (model: string, job: JobRecord) => object = type === "embed" ? embedAnswer : wholeAnswer,
): Promise<Response> {
  const { incoming, outgoing } = context.env;
  const { model, stream, ...request } = body;
  context.set("model", model);
  const caller = context.get("caller");
  const lane = chooseLane(caller, undefined);
  const envelope = {
    v: 1,
    type,
    tenant: caller.tenant,
    lane,
    model,
    stream: stream && type !== "embed",
    request: { ...request, ...normalisedOptions(request.options, deps.jobs.contextBuckets) },
  };
  const parsed = inferenceJobSchema.safeParse(envelope);
  if (!parsed.success) {
    throw new OllamaRefusal(400, parsed.error.issues[0]?.message ?? "the request is wrong");
  }
  const { onDisconnect, ...again } = parseCallHeaders(incoming.headers);
  const closed = closedSignal(outgoing);
  const call = await openCall(deps, caller, parsed.data, {
    attempts: deps.policy.attempts,
    idleMs: Math.min(heartbeatMs, deps.calls.silenceMs ?? heartbeatMs),
    ...again,
  });
  for (const [name, value] of Object.entries(call.headers)) outgoing.setHeader(name, value);
  if (call.replayed) outgoing.setHeader("idempotency-replayed", "true");
  const prefer = parsePrefer(incoming.headers.prefer?.toString());
  const given = onDisconnect === "cancel" ? call : detached(call);
  if (stream && type !== "embed" && prefer.applied !== "respond-async") {
    return streamCall(given, { type, asked: model, outgoing, closed });
  }
  const view = () => viewOwnJob(deps, caller, call.id);
  const connection = { outgoing, closed, silenceMs: deps.calls.silenceMs, prefer, view };
  return answerWhole(given, connection, {
    answer: (job) => answer(given.model, job),
    refusal: (failure) => refusalOfFailure(failure, model),
    refusalBody: (failure) => ({ error: refusalOfFailure(failure, model).message }),
    cancelled: () => new OllamaRefusal(499, "request canceled"),
  });
}

async function streamCall(
  call: Call,
  to: { type: "generate" | "chat"; asked: string; outgoing: ServerResponse; closed: AbortSignal },
): Promise<Response> {
  const { type, asked, outgoing, closed } = to;
  const line = async (value: object): Promise<void> => {
    // Headers come with the first line: until then the answer may still be an error with a status.
    if (!outgoing.headersSent) outgoing.writeHead(200, { ...streamHeaders, ...servedBy(call) });
    if (outgoing.write(`${JSON.stringify(value)}\n`) || outgoing.destroyed) return;
    await new Promise<void>((resolve) => {
      outgoing.once("drain", resolve).once("close", resolve);
    });
  };
  for await (const event of call.events(closed)) {
    if (event.kind === "delta") await line(deltaLine(type, call.model, event));
    if (event.kind === "idle") await line(deltaLine(type, call.model, nothingNew));
    if (event.kind === "broken") await line({ error: event.why });
    if (event.kind !== "ended") continue;
    const { failure } = event.job;
    if (failure && !outgoing.headersSent) throw refusalOfFailure(failure, asked);
    await line(
      failure ? { error: refusalOfFailure(failure, asked).message } : finalLine(type, call.model, event.job),
    );
  }
  if (closed.aborted) await (outgoing.headersSent ? call.cancel() : call.leave());
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}

const streamHeaders = { "content-type": "application/x-ndjson", "x-accel-buffering": "no" };
