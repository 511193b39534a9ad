import type { JobView } from "./job-view.ts";
import { jobOf } from "./job-of.ts";
import { newKey } from "./new-key.ts";
import type { NewJob } from "./new-job.ts";
import { type CallOptions, requestRepeatedly, type Server } from "./request.ts";

export type SubmitOptions = CallOptions & {
  /** Default: one made for this call. The same key with the same job gives the same job, for 24 h. */
  idempotencyKey?: string | undefined;
  /** How long the answer may be held back for the job to end; the server takes at most 60 s. */
  waitMs?: number | undefined;
  /** Whether the job is cancelled if the connection breaks while the answer is held back. Default false. */
  cancelOnDisconnect?: boolean | undefined;
};

/** Every try carries the same Idempotency-Key, so that a job whose 202 got lost is found and not made again. */
export async function submitJob(server: Server, job: NewJob, options: SubmitOptions): Promise<JobView> {
  const { waitMs = 0, cancelOnDisconnect = false } = options;
  const waitS = Math.min(60, Math.ceil(waitMs / 1_000));
  const key = options.idempotencyKey ?? (job.idempotency_key === undefined ? newKey() : undefined);
  const headers = {
    ...(key !== undefined && { "idempotency-key": key }),
    ...(waitS > 0 && { prefer: `wait=${waitS}` }),
    ...(cancelOnDisconnect && { "forebay-on-disconnect": "cancel" }),
  };
  const asked = { method: "POST", path: "/jobs", headers, body: job, heldMs: waitS * 1_000 } as const;
  return jobOf(await requestRepeatedly(server, asked, options));
}
