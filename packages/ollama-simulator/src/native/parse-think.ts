import type { ThinkLevel } from "../answer/plan-answer.ts";
import { OllamaError } from "../http/ollama-error.ts";

/** Undefined when the caller left it to the model. */
export function parseThink(value: unknown): ThinkLevel | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "boolean") return value ? "medium" : false;
  if (typeof value !== "string")
    throw new OllamaError(
      400,
      'think must be a boolean or string ("high", "medium", "low", "max", true, or false)',
    );
  if (value === "low" || value === "medium" || value === "high") return value;
  if (value === "max") return "high";
  const quoted = JSON.stringify(value);
  throw new OllamaError(
    400,
    `invalid think value: ${quoted} (must be "high", "medium", "low", "max", true, or false)`,
  );
}
