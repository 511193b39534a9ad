import { laneOfTier, OpenaiRefusal, tierOfLane } from "@forebay/openai-format";
import { inferenceJobSchema, type InferenceJob, type Lane } from "@forebay/queue-contracts";
import type { z } from "zod";
import { parseCallHeaders } from "../../calls/parse-call-headers.ts";
import { type Call, openCall } from "../../calls/open-call.ts";
import type { Caller } from "../../auth/caller.ts";
import type { ApiContext } from "../../http/api-env.ts";
import { formatPath } from "../../http/field-error.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { checkCaller } from "../jobs/resolve-job.ts";

/** Proxies cut what is silent for a minute, some sooner. */
const heartbeatMs = 10_000;

/** Throws OpenaiRefusal with 400 and the name of the first field that is wrong. */
export function parseOpenaiBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const param = formatPath(issue?.path ?? []);
  const why = issue?.message.replace(/^Invalid input: /, "") ?? "is wrong";
  throw new OpenaiRefusal(400, `${param || "The body"}: ${why}.`, { param: param || undefined });
}

/** Puts the job of a call on the queue, in the lane its service tier asks for. Throws Problem, OpenaiRefusal. */
export async function openOpenaiCall(
  deps: JobDeps,
  context: ApiContext,
  type: InferenceJob["type"],
  body: { model: string; user?: string | null | undefined; service_tier?: string | null | undefined },
  job: { request: object; stream: boolean; response?: object; metadata?: object | null | undefined },
): Promise<{ call: Call; lane: Lane; serviceTier: string }> {
  const { incoming, outgoing } = context.env;
  const caller = context.get("caller");
  const lane = chooseLane(caller, body);
  const { model, user } = body;
  const envelope = { v: 1, type, tenant: caller.tenant, lane, model, ...job, ...(user && { user }) };
  const parsed = inferenceJobSchema.safeParse(envelope);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new OpenaiRefusal(400, `${formatPath(issue?.path ?? [])}: ${issue?.message}.`);
  }
  const { idempotencyKey, onDisconnect } = parseCallHeaders(incoming.headers);
  const call = await openCall(deps, caller, parsed.data, {
    attempts: deps.policy.attempts,
    idleMs: heartbeatMs,
    idempotencyKey,
  });
  if (call.replayed) outgoing.setHeader("idempotency-replayed", "true");
  // SDKs show this one to whoever asks for help: it should lead to the job.
  outgoing.setHeader("x-request-id", call.id);
  const given = onDisconnect === "cancel" ? call : { ...call, cancel: async () => undefined };
  return { call: given, lane, serviceTier: tierOfLane[lane] };
}

function chooseLane(caller: Caller, body: { model: string; service_tier?: string | null | undefined }): Lane {
  const tier = body.service_tier;
  const asked = tier && tier !== "auto" ? laneOfTier[tier as keyof typeof laneOfTier] : undefined;
  return checkCaller(caller, body.model, asked);
}
