import { isFinalState, type JobView } from "./job-view.ts";
import { jobOf } from "./job-of.ts";
import { jobPath } from "./job-path.ts";
import { createPatience } from "./patience.ts";
import { type CallOptions, request, type Server } from "./request.ts";

export type WaitOptions = CallOptions & {
  /** Default: as long as it takes. */
  timeoutMs?: number | undefined;
};

/** What the server takes; proxies cut connections that are silent for longer. Seconds. */
const waitMaxS = 50;

export async function waitForJob(server: Server, id: string, options: WaitOptions): Promise<JobView> {
  const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
  const deadline = Date.now() + timeoutMs;
  const patience = createPatience(server.retries, options);
  for (;;) {
    const leftMs = Math.max(0, deadline - Date.now());
    const waitS = Math.min(waitMaxS, Math.ceil(leftMs / 1_000));
    const asked = { method: "GET", path: `${jobPath(id)}?wait=${waitS}`, heldMs: waitS * 1_000 } as const;
    try {
      const job = jobOf(await request(server, asked, signal));
      patience.succeeded();
      if (isFinalState(job.state) || Date.now() >= deadline) return job;
    } catch (error) {
      await patience.failed(error, deadline);
    }
  }
}
