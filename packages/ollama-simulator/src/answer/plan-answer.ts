import { createInstance } from "../schema/create-instance.ts";
import { createSeededRandom, hashText } from "../text/seeded-random.ts";
import { splitTokens } from "../text/split-tokens.ts";
import { takeWords } from "../text/words.ts";
import { type Answer, type AnswerPart, type ToolCall, tokensOf } from "./answer.ts";
import { cutAtStop } from "./cut-at-stop.ts";

export type ThinkLevel = false | "low" | "medium" | "high";
export type AnswerFormat =
  | { kind: "text" }
  | { kind: "json" }
  | { kind: "schema"; schema: Record<string, unknown> };
export type WantedCall = { name: string; parameters: unknown };

export type AnswerRequest = {
  /** Model, prompt and all else that makes an answer another one. */
  identity: string;
  seed: number | undefined;
  /** Negative: until the model stops by itself. */
  numPredict: number;
  stop: readonly string[];
  think: ThinkLevel;
  format: AnswerFormat;
  calls: readonly WantedCall[];
  /** Says exactly this instead. */
  text: string | undefined;
};

const thinkingTokens = { low: [8, 20], medium: [20, 50], high: [60, 140] } as const;
// A mean of 90 tokens, which is a short paragraph.
const contentTokens = [40, 140] as const;

/** The whole answer in advance: the same request gives the same answer on every machine. */
export function planAnswer(request: AnswerRequest): Answer {
  const seed = hashText(`${request.seed ?? ""}\n${request.identity}`);
  const thinking = request.think === false ? [] : planThinking(request.think, seed);
  const { parts, stopped } = planContent(request, seed);
  const all = [...thinking, ...parts];
  const limited = limit(all, request.numPredict);
  return { parts: limited, doneReason: limited.length < all.length && !stopped ? "length" : "stop" };
}

function planThinking(level: Exclude<ThinkLevel, false>, seed: number): AnswerPart[] {
  const [min, max] = thinkingTokens[level];
  return prose(seed ^ 0x5bd1e995, min, max).map((text) => ({ kind: "thinking", text }));
}

function planContent(request: AnswerRequest, seed: number): { parts: AnswerPart[]; stopped: boolean } {
  if (request.calls.length > 0) return { parts: [planCalls(request.calls, seed)], stopped: false };
  const texts = request.text === undefined ? contentTexts(request, seed) : splitTokens(request.text);
  const { texts: kept, stopped } = cutAtStop(texts, request.stop);
  return { parts: kept.map((text) => ({ kind: "content", text })), stopped };
}

function contentTexts({ format, numPredict }: AnswerRequest, seed: number): string[] {
  if (format.kind === "schema") return splitTokens(JSON.stringify(createInstance(format.schema, seed)));
  if (format.kind === "json") return splitTokens(JSON.stringify(freeObject(seed)));
  const [min, max] = contentTokens;
  // A model that would go on: whoever limits the length is after it, and gets it.
  return prose(seed, Math.max(min, numPredict + 1), Math.max(max, numPredict + 1));
}

function freeObject(seed: number): Record<string, unknown> {
  const random = createSeededRandom(seed);
  return {
    answer: prose(seed, 8, 16).join(""),
    confidence: random.between(50, 99) / 100,
    sources: random.between(1, 5),
  };
}

function prose(seed: number, min: number, max: number): string[] {
  const length = createSeededRandom(seed).between(min, max);
  return takeWords(seed, length);
}

function planCalls(wanted: readonly WantedCall[], seed: number): AnswerPart {
  const calls: ToolCall[] = wanted.map(({ name, parameters }, index) => ({
    id: `call_${(hashText(`${seed}:${index}`) + 36 ** 7).toString(36).slice(-8)}`,
    function: { index, name, arguments: createInstance(parameters ?? { type: "object" }, seed + index) },
  }));
  const text = JSON.stringify(calls.map((call) => call.function));
  return { kind: "tool_calls", calls, tokens: splitTokens(text).length };
}

function limit(parts: AnswerPart[], numPredict: number): AnswerPart[] {
  if (numPredict < 0) return parts;
  let left = numPredict;
  const end = parts.findIndex((part) => {
    left -= tokensOf(part);
    return left < 0;
  });
  return end === -1 ? parts : parts.slice(0, end);
}
