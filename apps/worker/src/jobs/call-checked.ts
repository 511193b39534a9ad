import type { Failure, InferenceJob, InferenceResult } from "@forebay/queue-contracts";
import { classifyFailure } from "../failures/classify-failure.ts";
import { CallFailedError } from "../ollama/call-failure.ts";
import { addUsage } from "./add-usage.ts";
import { answerText, judgeAnswer } from "./judge-answer.ts";
import { repairRequest } from "./repair-request.ts";

/** How an answer that had to be of a certain form turned out. */
export type AnswerCheck = "valid" | "repaired" | "mismatch" | "unchecked";

/** `failure`: it answered, and not in the form that was asked for, twice. */
type CheckedAnswer = ({ result: InferenceResult } | { failure: Failure }) & {
  /** undefined: no form was asked for. */ readonly check: AnswerCheck | undefined;
};

/**
 * Calls once, and once more if the answer is not what the job's `format` asks for: on the same slot, while the model
 * is loaded and the prompt in its cache.
 *
 * @param request the job as it is sent
 * @param again called before the second call: what came of the first is void
 */
export async function callChecked(
  request: InferenceJob,
  call: (request: InferenceJob) => Promise<InferenceResult>,
  again: () => Promise<void>,
): Promise<CheckedAnswer> {
  const first = await call(request);
  const verdict = judgeAnswer(request, first);
  switch (verdict?.kind) {
    case undefined:
    case "valid":
    case "unchecked":
      return { result: first, check: verdict?.kind };
    case "undecidable":
      return { failure: undecidable, check: "unchecked" };
    case "mismatch":
      break;
  }
  await again();
  const second = await callAgain(repairRequest(request, answerText(first), verdict), call);
  const repaired = second && judgeAnswer(request, second);
  if (second && repaired?.kind !== "mismatch" && repaired?.kind !== "undecidable") {
    const check = repaired?.kind === "valid" ? "repaired" : "unchecked";
    return { result: addUsage(second, first.usage), check };
  }
  const { keywords } = repaired?.kind === "mismatch" ? repaired : verdict;
  return { failure: mismatch(keywords), check: "mismatch" };
}

/** undefined: the longer request cannot be answered, which is no fault of the job's own one. */
async function callAgain(
  request: InferenceJob,
  call: (request: InferenceJob) => Promise<InferenceResult>,
): Promise<InferenceResult | undefined> {
  try {
    return await call(request);
  } catch (error) {
    const refused =
      error instanceof CallFailedError && classifyFailure(error.failure).disposition === "discard";
    if (refused) return undefined;
    throw error;
  }
}

const undecidable: Failure = {
  code: "invalid_request",
  message: "the JSON Schema in `format` refers to itself without end or takes too long to check",
};

/** Names keywords of the standard and nothing else: places and values are the caller's and the model's. */
function mismatch(keywords: readonly string[]): Failure {
  const what = `violates ${keywords.join(", ")}`;
  return {
    code: "schema_mismatch",
    message: `the answer does not satisfy \`format\` (${what}), nor did the one before it`,
  };
}
