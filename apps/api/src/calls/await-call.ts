import type { JobRecord } from "@forebay/queue-bullmq";
import type { Call } from "./open-call.ts";

/** The job of a call once it ended; undefined: the signal aborted first, or the job cannot
 * be followed, and it is cancelled. */
export async function awaitCall(call: Call, signal: AbortSignal): Promise<JobRecord | undefined> {
  for await (const event of call.events(signal)) if (event.kind === "ended") return event.job;
  await call.cancel();
  return undefined;
}
