import {
  type FailureCode,
  failureCodes,
  inferenceResultSchema,
  parseFailedReason,
} from "@forebay/queue-contracts";

/** What BullMQ's job holds once it has ended. */
type EndedJob = { returnvalue?: unknown; failedReason?: string };

export function readAnswer(job: EndedJob): string {
  if (job.failedReason !== undefined) return explain(parseFailedReason(job.failedReason).code);
  const result = inferenceResultSchema.parse(job.returnvalue);
  switch (result.type) {
    case "generate":
      return result.response;
    case "chat":
      return result.message.content;
    case "embed":
      return `${result.embeddings.length} vectors`;
  }
}

function explain(code: FailureCode): string {
  const { meaning, action, retryable } = failureCodes[code];
  return `${meaning} ${action}${retryable ? " (may be tried again)" : ""}`;
}
