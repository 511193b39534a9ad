import type { JobRecord } from "@forebay/queue-bullmq";
import type { AnswerDelta } from "../../calls/continue-answer.ts";

type Surface = "generate" | "chat";

/** One line of a stream. */
export function deltaLine(surface: Surface, model: string, delta: AnswerDelta): object {
  const { text, thinking, toolCalls } = delta;
  const thought = thinking === "" ? {} : { thinking };
  const calls = toolCalls.length === 0 ? {} : { tool_calls: toolCalls };
  const said =
    surface === "generate"
      ? { response: text, ...thought }
      : { message: { role: "assistant", content: text, ...thought, ...calls } };
  return { model, created_at: new Date().toISOString(), ...said, done: false };
}

export const nothingNew: AnswerDelta = { text: "", thinking: "", toolCalls: [] };

/** The last line of a stream: the counts, and an empty answer. */
export function finalLine(surface: Surface, model: string, job: JobRecord): object {
  const said = surface === "generate" ? { response: "" } : { message: { role: "assistant", content: "" } };
  return { model, created_at: finishedAt(job), ...said, done: true, ...doneFields(job) };
}

/** The answer as a whole. */
export function wholeAnswer(model: string, job: JobRecord): object {
  const { result } = job;
  const head = { model, created_at: finishedAt(job) };
  if (result?.type === "chat") return { ...head, message: result.message, done: true, ...doneFields(job) };
  if (result?.type !== "generate") return head;
  const thought = result.thinking === undefined ? {} : { thinking: result.thinking };
  return { ...head, response: result.response, ...thought, done: true, ...doneFields(job) };
}

export function embedAnswer(model: string, job: JobRecord): object {
  const embeddings = job.result?.type === "embed" ? job.result.embeddings : [];
  return {
    model,
    embeddings,
    ...durations(job),
    ...counted("prompt_eval_count", job.result?.prompt_eval_count),
  };
}

const finishedAt = (job: JobRecord): string => (job.finishedAt ?? new Date()).toISOString();

function doneFields(job: JobRecord): object {
  const { result } = job;
  if (!result || result.type === "embed") return {};
  return {
    done_reason: result.done_reason,
    ...(result.logprobs && { logprobs: result.logprobs }),
    ...durations(job),
    ...counted("prompt_eval_count", result.prompt_eval_count),
    ...counted("prompt_eval_duration", toNs(result.prompt_eval_duration_ms)),
    ...counted("eval_count", result.eval_count),
    ...counted("eval_duration", toNs(result.eval_duration_ms)),
  };
}

/**
 * As in Ollama the total begins with the request and the load with it: what the job waited in the queue is in
 * both, as the wait for a slot or a load is in Ollama's own.
 */
function durations(job: JobRecord): object {
  const totalMs = (job.finishedAt ?? job.createdAt).getTime() - job.createdAt.getTime();
  const calledMs = job.result?.total_duration_ms ?? 0;
  const loadMs = (job.result?.load_duration_ms ?? 0) + Math.max(0, totalMs - calledMs);
  return { ...counted("total_duration", toNs(totalMs)), ...counted("load_duration", toNs(loadMs)) };
}

/** Ollama leaves out what is zero. */
function counted(name: string, value: number | undefined): object {
  return value ? { [name]: value } : {};
}

const toNs = (ms: number): number => Math.round(ms * 1e6);
