import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ServerResponse } from "node:http";
import { inferenceJobSchema, type InferenceJob, type ModelOptions } from "@forebay/queue-contracts";
import { awaitCall } from "../../calls/await-call.ts";
import { parseCallHeaders } from "../../calls/parse-call-headers.ts";
import { type Call, openCall } from "../../calls/open-call.ts";
import type { ApiContext } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import { findJob } from "../jobs/find-job.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { jobView } from "../jobs/job-view.ts";
import { parsePrefer } from "../jobs/parse-prefer.ts";
import { checkCaller, normalisedOptions } from "../jobs/resolve-job.ts";
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
): Promise<Response> {
  const { incoming, outgoing } = context.env;
  const { model, stream, ...request } = body;
  context.set("model", model);
  const caller = context.get("caller");
  const lane = checkCaller(caller, model);
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
  const { idempotencyKey, onDisconnect } = parseCallHeaders(incoming.headers);
  const closed = closedSignal(outgoing);
  const call = await openCall(deps, caller, parsed.data, {
    attempts: deps.policy.attempts,
    idleMs: heartbeatMs,
    idempotencyKey,
  });
  for (const [name, value] of Object.entries(call.headers)) outgoing.setHeader(name, value);
  if (call.replayed) outgoing.setHeader("idempotency-replayed", "true");
  if (parsePrefer(incoming.headers.prefer?.toString()).applied === "respond-async") {
    const { record } = await findJob(deps, caller, call.id);
    const eta = await deps.forecasts.startOfJob(record);
    return jsonResponse(202, jobView(record, true, eta), { location: `/jobs/${call.id}` });
  }
  const given = onDisconnect === "cancel" ? call : { ...call, cancel: async () => undefined };
  if (stream && type !== "embed") return streamCall(given, { type, model, outgoing, closed });

  const job = await awaitCall(given, closed);
  if (!job) throw new OllamaRefusal(499, "request canceled");
  if (job.failure) throw refusalOfFailure(job.failure, model);
  return jsonResponse(200, type === "embed" ? embedAnswer(model, job) : wholeAnswer(model, job));
}

async function streamCall(
  call: Call,
  to: { type: "generate" | "chat"; model: string; outgoing: ServerResponse; closed: AbortSignal },
): Promise<Response> {
  const { type, model, outgoing, closed } = to;
  const line = async (value: object): Promise<void> => {
    // Headers come with the first line: until then the answer may still be an error with a status.
    if (!outgoing.headersSent)
      outgoing.writeHead(200, { "content-type": "application/x-ndjson", "x-accel-buffering": "no" });
    if (outgoing.write(`${JSON.stringify(value)}\n`) || outgoing.destroyed) return;
    await new Promise<void>((resolve) => {
      outgoing.once("drain", resolve).once("close", resolve);
    });
  };
  for await (const event of call.events(closed)) {
    if (event.kind === "delta") await line(deltaLine(type, model, event));
    if (event.kind === "idle") await line(deltaLine(type, model, nothingNew));
    if (event.kind === "broken") await line({ error: event.why });
    if (event.kind !== "ended") continue;
    const { failure } = event.job;
    if (failure && !outgoing.headersSent) throw refusalOfFailure(failure, model);
    await line(
      failure ? { error: refusalOfFailure(failure, model).message } : finalLine(type, model, event.job),
    );
  }
  if (closed.aborted) await call.cancel();
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}
