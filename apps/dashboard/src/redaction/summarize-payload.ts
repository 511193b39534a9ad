import {
  type DeadLetter,
  deadLetterSchema,
  type InferenceJob,
  inferenceJobSchema,
  laneSchema,
  modelNameSchema,
  nameSchema,
  type StartRecord,
} from "@forebay/queue-contracts";
import { z } from "zod";

const hidden = "shown to admins only";

/** What of a payload everybody on the board may see: for whom and with what model, not what is asked. */
export function summarizePayload(data: unknown): Record<string, unknown> {
  const job = inferenceJobSchema.safeParse(data).data;
  if (job) return summarizeJob(job);
  const letter = deadLetterSchema.safeParse(data).data;
  if (letter) return summarizeDeadLetter(letter);
  return { payload: hidden };
}

function summarizeJob(job: InferenceJob): Record<string, unknown> {
  const { type, tenant, lane, model, stream } = job;
  const requestBytes = Buffer.byteLength(JSON.stringify(job.request));
  return { type, tenant, lane, model, stream, request_bytes: requestBytes, request: hidden };
}

// A dead letter may be of a payload that did not parse: its texts are checked here, where they are shown.
function summarizeDeadLetter(letter: DeadLetter): Record<string, unknown> {
  return {
    job_id: letter.job_id,
    state: letter.state,
    type: shown(z.enum(["generate", "chat", "embed"]), letter.type),
    tenant: shown(nameSchema, letter.tenant),
    model: shown(modelNameSchema, letter.model),
    lane: shown(laneSchema, letter.lane),
    failure: { code: letter.failure.code, message: hidden },
    attempts: letter.attempts.map(summarizeStart),
    attempts_made: letter.attempts_made,
    created_at: letter.created_at,
    first_failed_at: letter.first_failed_at,
    last_failed_at: letter.last_failed_at,
    redrives: letter.redrives,
    payload: hidden,
  };
}

function summarizeStart(start: StartRecord): Record<string, unknown> {
  const { at, worker, backend, ended_at, outcome, gpu_ms } = start;
  return {
    at,
    worker: shown(nameSchema, worker),
    backend: shown(placeSchema, backend),
    ended_at,
    outcome,
    code: shown(z.string().regex(/^[a-z_]{1,40}$/), start.code),
    gpu_ms,
  };
}

const placeSchema = z.string().regex(/^[\w.:[\]-]{1,100}$/);

function shown<T>(schema: z.ZodType<T>, value: unknown): T | undefined {
  return schema.safeParse(value).data;
}
