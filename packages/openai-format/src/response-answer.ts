import type { Failure } from "@forebay/queue-contracts";
import { outputItems } from "./response-items.ts";
import { responseIdOf, type ResponseJob } from "./response-job.ts";
import { tierOfLane } from "./service-tier.ts";

type ResponseStatus = "queued" | "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";

/** A response as it stands, whole: of `GET /v1/responses/{id}`, and of the event that ends its stream. */
export function wholeResponse(response: ResponseJob): object {
  const { id, state, finishedAt, result, failure } = response;
  const status = statusOf(response);
  return {
    ...describeResponse(response, status),
    completed_at: state === "completed" && finishedAt ? secondsOf(finishedAt) : null,
    error: failure && status === "failed" ? errorOf(failure) : null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    model: result?.model ?? response.job.model,
    output: outputItems(id, result),
    usage: usageOf(response),
  };
}

/** The same before there is an answer. */
export function describeResponse({ id, createdAt, job }: ResponseJob, status: ResponseStatus): object {
  const { request, response: note } = job;
  const { options = {}, messages, tools = [] } = request;
  return {
    id: responseIdOf(id),
    object: "response",
    created_at: secondsOf(createdAt),
    status,
    background: note.background ?? false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    instructions: note.instructions ? (messages[0]?.content ?? null) : null,
    max_output_tokens: options.num_predict ?? null,
    max_tool_calls: null,
    metadata: job.metadata ?? {},
    model: job.model,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: note.previous === undefined ? null : responseIdOf(note.previous),
    reasoning: { effort: note.effort ?? null, summary: null },
    service_tier: tierOfLane[job.lane],
    store: note.store ?? true,
    temperature: options.temperature ?? null,
    text: { format: formatOf(job) },
    tool_choice: note.tool_choice ?? "auto",
    tools: tools.map(({ function: { name, description = null, parameters = null } }) => ({
      type: "function",
      name,
      description,
      parameters,
      strict: false,
    })),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: options.top_p ?? null,
    truncation: "auto",
    usage: null,
    user: job.user ?? null,
  };
}

/** A put-back job that was begun before stays in progress: a status never goes back. */
function statusOf(response: Pick<ResponseJob, "state" | "begun" | "result">): ResponseStatus {
  const { state, begun, result } = response;
  switch (state) {
    case "waiting":
    case "delayed":
      return begun ? "in_progress" : "queued";
    case "active":
      return "in_progress";
    case "completed":
      return result?.type === "chat" && result.done_reason === "length" ? "incomplete" : "completed";
    case "cancelled":
      return "cancelled";
    case "failed":
    case "expired":
    case "timed_out":
      return "failed";
  }
}

/** A response has few codes for its error; ours stands before the message. */
function errorOf({ code, message }: Failure): object {
  return { code: errorCodeOf(code), message: `${code}: ${message}` };
}

function errorCodeOf(code: Failure["code"]): string {
  switch (code) {
    case "context_too_long":
    case "invalid_request":
    case "invalid_payload":
    case "model_not_found":
    case "unsupported_capability":
      return "invalid_prompt";
    case "backend_overloaded":
      return "rate_limit_exceeded";
    default:
      return "server_error";
  }
}

function usageOf({ result }: ResponseJob): object | null {
  if (!result) return null;
  const { prompt_tokens, completion_tokens } = result.usage;
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: prompt_tokens + completion_tokens,
  };
}

function formatOf({ request, response: note }: ResponseJob["job"]): object {
  if (request.format === undefined) return { type: "text" };
  if (request.format === "json") return { type: "json_object" };
  const { name = "answer", description = null, strict = false } = note.format ?? {};
  return { type: "json_schema", name, description, strict, schema: request.format };
}

const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1_000);
