import { type AnswerPart, type ToolCall } from "../answer/answer.ts";
import type { Metrics } from "../inference/inference-job.ts";
import type { Surface } from "../inference/surface.ts";

/** What generate and chat differ in. */
export type NativeShape = {
  model: string;
  /** The fields that carry text in a chunk or in the whole. */
  body(content: string, thinking: string, calls: ToolCall[]): Record<string, unknown>;
  logprobs(token: string): Record<string, unknown>[] | undefined;
  /** Only in the last object. */
  closing(content: string): Record<string, unknown>;
};

export function createNativeSurface(shape: NativeShape): Surface {
  const said: string[] = [];
  const head = () => ({ model: shape.model, created_at: new Date().toISOString() });
  return {
    contentType: "application/x-ndjson",
    chunk(part) {
      said.push(textOf(part));
      return line({ ...head(), ...bodyOf(shape, [part]), done: false, ...logprobsOf(shape, [part]) });
    },
    close(reason, metrics) {
      const closing = shape.closing(said.join(""));
      return line({
        ...head(),
        ...shape.body("", "", []),
        done: true,
        done_reason: reason,
        ...closing,
        ...durations(metrics),
      });
    },
    broken: (message) => line({ error: message }),
    whole(parts, ending) {
      const body = {
        ...head(),
        ...bodyOf(shape, parts),
        done: ending !== undefined,
        ...logprobsOf(shape, parts),
      };
      if (ending === undefined) return body;
      const closing = shape.closing(parts.map(textOf).join(""));
      return { ...body, done_reason: ending.reason, ...closing, ...durations(ending.metrics) };
    },
    empty: (reason) => ({ ...head(), ...shape.body("", "", []), done: true, done_reason: reason }),
    error: (_status, message) => ({ error: message }),
  };
}

/** Nanoseconds; what is zero is left out. */
export function durations(metrics: Metrics): Record<string, number> {
  const all = {
    total_duration: nanoseconds(metrics.totalMs),
    load_duration: nanoseconds(metrics.loadMs),
    prompt_eval_count: metrics.promptTokens,
    prompt_eval_duration: nanoseconds(metrics.promptMs),
    eval_count: metrics.tokens,
    eval_duration: nanoseconds(metrics.decodeMs),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== 0));
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}

function textOf(part: AnswerPart): string {
  return part.kind === "tool_calls" ? "" : part.text;
}

function bodyOf(shape: NativeShape, parts: readonly AnswerPart[]): Record<string, unknown> {
  const text = (kind: "content" | "thinking") =>
    parts.map((part) => (part.kind === kind ? part.text : "")).join("");
  const calls = parts.flatMap((part) => (part.kind === "tool_calls" ? part.calls : []));
  return shape.body(text("content"), text("thinking"), calls);
}

function logprobsOf(shape: NativeShape, parts: readonly AnswerPart[]): Record<string, unknown> {
  const logprobs = parts.flatMap((part) =>
    part.kind === "tool_calls" ? [] : (shape.logprobs(part.text) ?? []),
  );
  return logprobs.length === 0 ? {} : { logprobs };
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
