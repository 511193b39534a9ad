import { OllamaError } from "../http/ollama-error.ts";
import type { RunnerOptions } from "../scheduler/runner-options.ts";

export type GenerationOptions = {
  runner: RunnerOptions;
  seed: number | undefined;
  numPredict: number;
  numKeep: number;
  stop: readonly string[];
};

type Kind = "integer" | "float32" | "boolean" | "strings";

const kinds: Record<string, Kind> = {
  num_ctx: "integer",
  num_batch: "integer",
  num_gpu: "integer",
  main_gpu: "integer",
  use_mmap: "boolean",
  num_thread: "integer",
  draft_num_predict: "integer",
  num_keep: "integer",
  seed: "integer",
  num_predict: "integer",
  top_k: "integer",
  top_p: "float32",
  min_p: "float32",
  typical_p: "float32",
  repeat_last_n: "integer",
  temperature: "float32",
  repeat_penalty: "float32",
  presence_penalty: "float32",
  frequency_penalty: "float32",
  stop: "strings",
};

/** An unknown option is ignored; a known one of the wrong type is a 500, as in Ollama. */
export function parseOptions(
  options: Record<string, unknown> | undefined,
  shift: boolean | undefined,
): GenerationOptions {
  const given = options ?? {};
  for (const [name, value] of Object.entries(given)) checkOption(name, value);
  const integer = (name: string) => {
    const value = given[name];
    return typeof value === "number" ? Math.trunc(value) : undefined;
  };
  const seed = integer("seed");
  const numCtx = integer("num_ctx");
  return {
    runner: {
      numCtx: numCtx === undefined ? undefined : Math.max(numCtx, 4),
      numBatch: integer("num_batch"),
      numGpu: integer("num_gpu") ?? -1,
      mainGpu: integer("main_gpu"),
      useMmap: typeof given.use_mmap === "boolean" ? given.use_mmap : undefined,
      numThread: integer("num_thread") ?? 0,
      draftNumPredict: integer("draft_num_predict") ?? 0,
      shift: shift ?? true,
    },
    seed: seed === -1 ? undefined : seed,
    numPredict: integer("num_predict") ?? -1,
    numKeep: integer("num_keep") ?? 4,
    stop: Array.isArray(given.stop)
      ? given.stop.filter((text) => typeof text === "string" && text !== "")
      : [],
  };
}

// What Ollama grants an open-ended generation, in contexts.
const contextsMax = 10;

/** Ollama's limit, which also keeps an absurd wish from filling the memory. */
export function boundNumPredict({ numPredict }: GenerationOptions, numCtx: number): number {
  return Math.min(numPredict, contextsMax * numCtx);
}

function checkOption(name: string, value: unknown): void {
  const kind = kinds[name];
  if (kind === undefined || value === null || value === undefined) return;
  const problem = kind === "strings" ? listProblem(value) : scalarProblem(kind, value);
  if (problem !== undefined) throw new OllamaError(500, `option "${name}" must be of ${problem}`);
}

function scalarProblem(kind: Exclude<Kind, "strings">, value: unknown): string | undefined {
  return typeof value === (kind === "boolean" ? "boolean" : "number") ? undefined : `type ${kind}`;
}

function listProblem(value: unknown): string | undefined {
  if (!Array.isArray(value)) return "type array";
  return value.every((item) => typeof item === "string") ? undefined : "an array of strings";
}
