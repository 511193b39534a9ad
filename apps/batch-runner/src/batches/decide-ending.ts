import type { BatchEnding, BatchStatus } from "@forebay/queue-bullmq";

/** Whether a batch under way is to be ended before all its lines were run. A wish to cancel it wins. */
export function decideEnding(
  status: BatchStatus,
  nowS: number,
  expiresAtS: number,
): Exclude<BatchEnding, "completed"> | undefined {
  if (status === "cancelling") return "cancelled";
  return nowS >= expiresAtS ? "expired" : undefined;
}
