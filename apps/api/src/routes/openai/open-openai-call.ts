import { laneOfTier, OpenaiRefusal, tierOfLane } from "@forebay/openai-format";
import { countOpenJobs } from "@forebay/queue-bullmq";
import { inferenceJobSchema, type InferenceJob, type Lane } from "@forebay/queue-contracts";
import type { z } from "zod";
import { parseCallHeaders } from "../../calls/parse-call-headers.ts";
import { detached } from "../../calls/detached.ts";
import { type Call, openCall } from "../../calls/open-call.ts";
import type { Caller } from "../../auth/caller.ts";
import type { ApiContext } from "../../http/api-env.ts";
import { formatPath } from "../../http/field-error.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { chooseLane } from "../jobs/resolve-job.ts";

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
  const lane = laneOf(caller, body);
  const { model, user } = body;
  const envelope = { v: 1, type, tenant: caller.tenant, lane, model, ...job, ...(user && { user }) };
  const parsed = inferenceJobSchema.safeParse(envelope);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new OpenaiRefusal(400, `${formatPath(issue?.path ?? [])}: ${issue?.message}.`);
  }
  const { onDisconnect, ...again } = parseCallHeaders(incoming.headers);
  const [openJobs, call] = await Promise.all([
    limitHeaders(deps, caller),
    openCall(deps, caller, parsed.data, {
      attempts: deps.policy.attempts,
      idleMs: Math.min(heartbeatMs, deps.calls.silenceMs ?? heartbeatMs),
      ...again,
    }),
  ]);
  // A limit per minute is the one that SDKs mean; without one, that of open jobs takes its name.
  const limits = { ...openJobs, ...call.headers };
  for (const [name, value] of Object.entries(limits)) outgoing.setHeader(name, value);
  if (call.replayed) outgoing.setHeader("idempotency-replayed", "true");
  // SDKs show this one to whoever asks for help: it should lead to the job.
  outgoing.setHeader("x-request-id", call.id);
  return { call: onDisconnect === "cancel" ? call : detached(call), lane, serviceTier: tierOfLane[lane] };
}

/** What SDKs show of limits: jobs at once, this one counted. Asked before the job is put. */
async function limitHeaders({ space, admission }: JobDeps, caller: Caller): Promise<Record<string, string>> {
  const open = await countOpenJobs(space, caller.tenant).catch(() => undefined);
  if (open === undefined) return {};
  const max = admission.openMaxOf(caller);
  return {
    "x-ratelimit-limit-requests": String(max),
    "x-ratelimit-remaining-requests": String(Math.max(0, max - open - 1)),
  };
}

function laneOf(caller: Caller, body: { service_tier?: string | null | undefined }): Lane {
  const tier = body.service_tier;
  const asked = tier && tier !== "auto" ? laneOfTier[tier as keyof typeof laneOfTier] : undefined;
  return chooseLane(caller, asked);
}
