import type { BatchError, BatchRecord } from "@forebay/queue-bullmq";
import { parseLine } from "../lines/parse-line.ts";
import type { BatchDeps } from "./batch-deps.ts";
import { readLines } from "./read-input.ts";

export type Validation = {
  readonly total: number;
  /** The model of all lines, if it is one. */ readonly model: string | undefined;
  /** The first hundred; none: the batch may run. */ readonly errors: readonly BatchError[];
};

const errorsMax = 100;
/** Texts to be embedded, over all lines. */
const embeddingInputsMax = 50_000;

/**
 * Reads the whole input once. Whether a line says which call is meant decides about the batch; whether its body
 * makes sense decides about that line alone, and later. Throws BlobMissingError.
 */
export async function validateBatch(
  deps: BatchDeps,
  batch: BatchRecord,
  signal: AbortSignal,
): Promise<Validation> {
  const { linesMax, lineBytesMax } = deps.limits;
  const errors: BatchError[] = [];
  const firstSeen = new Map<string, number>();
  const models = new Set<unknown>();
  let total = 0;
  let inputs = 0;
  const whole = (code: string, message: string): void =>
    void errors.push({ code, message, param: null, line: null });

  for await (const line of readLines(deps, batch.input_file_id)) {
    signal.throwIfAborted();
    total++;
    if (total > linesMax) {
      whole("too_many_requests", `The file has more than ${linesMax} lines.`);
      break;
    }
    const parsed = parseLine(line, batch.endpoint, lineBytesMax);
    if ("code" in parsed) {
      errors.push(parsed);
    } else {
      const before = firstSeen.get(parsed.customId);
      if (before !== undefined) {
        const message = `The custom_id of line ${before} is used again.`;
        errors.push({ code: "duplicate_custom_id", message, param: "custom_id", line: line.line });
      }
      firstSeen.set(parsed.customId, before ?? line.line);
      if (models.size < 2) models.add(parsed.body["model"]);
      const { input } = parsed.body;
      inputs += Array.isArray(input) ? input.length : 1;
    }
    if (errors.length >= errorsMax) break;
  }
  if (total === 0) whole("empty_file", "The file has no lines.");
  if (batch.endpoint === "/v1/embeddings" && inputs > embeddingInputsMax) {
    whole("too_many_inputs", `The lines have more than ${embeddingInputsMax} texts to be embedded.`);
  }
  const [model] = models;
  return { total, model: models.size === 1 && typeof model === "string" ? model : undefined, errors };
}
