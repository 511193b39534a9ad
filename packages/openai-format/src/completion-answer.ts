import type { InferenceResult, Usage } from "@forebay/queue-contracts";

/** A job that ended with a result. */
export type AnsweredJob = { readonly result?: InferenceResult | undefined };

/** What an answer has grown by. */
type AnswerDelta = {
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly unknown[];
};

/** How one endpoint writes answers: a whole one, and a stream's chunks. */
export type AnswerShape = {
  whole(job: AnsweredJob): object;
  delta(delta: AnswerDelta): object;
  /** The last chunk with a choice. */ finish(job: AnsweredJob): object;
  /** The chunk after it, with the usage and no choice. */ usage(job: AnsweredJob): object;
};

/** `model` is read anew for each chunk: a job may go on with another one. */
type Head = { id: string; created: number; readonly model: string; serviceTier: string };

/** `POST /v1/chat/completions` */
export function createChatShape(head: Head): AnswerShape {
  const common = headOf(head);
  const chunk = (choices: object[], rest: object = {}): object => ({
    ...common("chat.completion.chunk"),
    choices,
    ...rest,
  });
  let first = true;
  let calls = 0;
  const role = (): object => {
    const opening = first ? { role: "assistant" } : {};
    first = false;
    return opening;
  };
  return {
    whole(job) {
      const message = job.result?.type === "chat" ? job.result.message : { content: "" };
      const toolCalls = toToolCalls(("tool_calls" in message && message.tool_calls) || [], 0);
      const said = {
        role: "assistant",
        content: message.content,
        ...("thinking" in message && message.thinking ? { reasoning: message.thinking } : {}),
        ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
      };
      const choice = { index: 0, message: said, logprobs: logprobsOf(job), finish_reason: finishReason(job) };
      return { ...common("chat.completion"), choices: [choice], usage: usageOf(job.result?.usage) };
    },
    delta({ text, thinking, toolCalls }) {
      const delta = {
        ...role(),
        ...(thinking === "" ? {} : { reasoning: thinking }),
        ...(text === "" && (thinking !== "" || toolCalls.length > 0) ? {} : { content: text }),
        ...(toolCalls.length > 0 && { tool_calls: toToolCalls(toolCalls, calls) }),
      };
      calls += toolCalls.length;
      return chunk([{ index: 0, delta, finish_reason: null }]);
    },
    // A job's log holds no probabilities: they come with the last chunk, all at once. SDKs put them together.
    finish: (job) =>
      chunk([{ index: 0, delta: role(), logprobs: logprobsOf(job), finish_reason: finishReason(job) }]),
    usage: (job) => chunk([], { usage: usageOf(job.result?.usage) }),
  };
}

/** `POST /v1/completions` */
export function createTextShape(head: Head): AnswerShape {
  const common = (): object => headOf(head)("text_completion");
  const choice = (text: string, finish_reason: string | null) => ({
    text,
    index: 0,
    logprobs: null,
    finish_reason,
  });
  return {
    whole(job) {
      const text = job.result?.type === "generate" ? job.result.response : "";
      return { ...common(), choices: [choice(text, finishReason(job))], usage: usageOf(job.result?.usage) };
    },
    delta: ({ text }) => ({ ...common(), choices: [choice(text, null)] }),
    finish: (job) => ({ ...common(), choices: [choice("", finishReason(job))] }),
    usage: (job) => ({ ...common(), choices: [], usage: usageOf(job.result?.usage) }),
  };
}

const headOf = (head: Head) => (object: string) => ({
  id: head.id,
  object,
  created: head.created,
  model: head.model,
  system_fingerprint: "fp_ollama",
  service_tier: head.serviceTier,
});

function usageOf(usage: Usage | undefined): object {
  const { prompt_tokens = 0, completion_tokens = 0 } = usage ?? {};
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

/** Ollama's are OpenAI's, but for the alternatives, which it leaves out when none were asked for. */
function logprobsOf({ result }: AnsweredJob): object | null {
  const given = result && "logprobs" in result ? result.logprobs : undefined;
  return given ? { content: given.map((each) => ({ top_logprobs: [], ...(each as object) })) } : null;
}

function finishReason(job: AnsweredJob): string {
  const { result } = job;
  if (result?.type === "chat" && result.message.tool_calls) return "tool_calls";
  return result && "done_reason" in result && result.done_reason === "length" ? "length" : "stop";
}

function toToolCalls(calls: readonly unknown[], from: number) {
  return calls.map((call, index) => {
    const { id, function: called } = call as { id?: string; function: { name: string; arguments: unknown } };
    return {
      index: from + index,
      id: id ?? `call_${from + index}`,
      type: "function",
      function: { name: called.name, arguments: JSON.stringify(called.arguments) },
    };
  });
}
