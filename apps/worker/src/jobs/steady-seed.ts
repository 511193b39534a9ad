import { createHash } from "node:crypto";
import type { InferenceJob } from "@forebay/queue-contracts";

/**
 * A response without a seed gets one from its job's id. Its readers hold positions in what was sent: a start after a
 * broken one should say the same words again, and with the same seed it mostly does.
 */
export function steadySeed(id: string, job: InferenceJob): InferenceJob {
  if (job.type !== "chat" || !job.response || job.request.options?.seed !== undefined) return job;
  // Ollama takes a negative one for "another each time".
  const seed = createHash("sha256").update(id).digest().readUInt32BE() >>> 1;
  return { ...job, request: { ...job.request, options: { ...job.request.options, seed } } };
}
