import {
  asResponseJob,
  createChatShape,
  createTextShape,
  embeddingsAnswer,
  errorBody,
  type OpenaiRefusal,
  refusalOfFailure,
  wholeResponse,
} from "@forebay/openai-format";
import type { BatchEndpoint, BatchEnding, JobRecord } from "@forebay/queue-bullmq";
import type { Usage } from "@forebay/queue-contracts";
import type { AnswerForm } from "./to-line-job.ts";

/** A line of the output or the error file. */
export type LineEntry = {
  readonly file: "output" | "error";
  readonly text: string;
  readonly usage: Usage | undefined;
};

type Line = { readonly customId: string; readonly jobId: string };

/** A job that ended → its line. A job that was stopped because the batch ends says that. */
export function entryOfJob(
  endpoint: BatchEndpoint,
  line: Line & { readonly form: AnswerForm },
  job: JobRecord,
  ending: BatchEnding | undefined,
): LineEntry {
  if (job.state === "completed" && job.result) {
    const body = answerOf(endpoint, line, job);
    return write(
      "output",
      line,
      { response: responseOf(200, line.jobId, body), error: null },
      job.result.usage,
    );
  }
  if (job.state === "expired") return entryOfEnding(line, "expired");
  if (ending && ending !== "completed" && job.state === "cancelled") return entryOfEnding(line, ending);
  const failure = job.failure ?? { code: "internal_error", message: "The result cannot be read." };
  return entryOfRefusal(line, refusalOfFailure(failure));
}

/** A body the endpoint refuses → its line. */
export function entryOfRefusal(line: Line, refusal: OpenaiRefusal): LineEntry {
  const response = responseOf(refusal.status, line.jobId, errorBody(refusal));
  return write("error", line, { response, error: null }, undefined);
}

const endings = {
  expired: {
    code: "batch_expired",
    message: "This request could not be executed before the completion window expired.",
  },
  cancelled: {
    code: "batch_cancelled",
    message: "This request was not executed before the batch was cancelled.",
  },
} as const;

/** A line that was not run to its end. */
export function entryOfEnding(line: Line, ending: "expired" | "cancelled"): LineEntry {
  return write("error", line, { response: null, error: endings[ending] }, undefined);
}

const responseOf = (status_code: number, request_id: string, body: object) => ({
  status_code,
  request_id,
  body,
});

function write(file: LineEntry["file"], line: Line, rest: object, usage: Usage | undefined): LineEntry {
  const entry = { id: `batch_req_${line.jobId}`, custom_id: line.customId, ...rest };
  return { file, text: `${JSON.stringify(entry)}\n`, usage };
}

function answerOf(endpoint: BatchEndpoint, line: Line & { form: AnswerForm }, job: JobRecord): object {
  const { model, base64 } = line.form;
  const created = Math.floor(job.createdAt.getTime() / 1_000);
  const head = { created, model, serviceTier: "flex" };
  switch (endpoint) {
    case "/v1/chat/completions":
      return createChatShape({ id: `chatcmpl-${job.id}`, ...head }).whole(job);
    case "/v1/completions":
      return createTextShape({ id: `cmpl-${job.id}`, ...head }).whole(job);
    case "/v1/embeddings":
      return embeddingsAnswer(job, { model, encoding_format: base64 ? "base64" : "float" });
    case "/v1/responses": {
      const response = asResponseJob(job);
      return response ? wholeResponse(response) : {};
    }
  }
}
