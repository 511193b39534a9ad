import type { AnswerFormat } from "../answer/plan-answer.ts";
import { isRecord } from "../http/go-struct.ts";
import { OllamaError } from "../http/ollama-error.ts";

/** A 500, although it is the caller's mistake: Ollama only finds out when it calls its runner. */
export function parseFormat(format: unknown): AnswerFormat {
  if (format === undefined || format === null || format === "") return { kind: "text" };
  if (format === "json") return { kind: "json" };
  if (isRecord(format)) return { kind: "schema", schema: format };
  const quoted = JSON.stringify(JSON.stringify(format));
  throw new OllamaError(500, `invalid format: ${quoted}; expected "json" or a valid JSON Schema object`);
}
