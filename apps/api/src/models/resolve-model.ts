import { canonicalModelName } from "@forebay/queue-contracts";
import type { Caller } from "../auth/caller.ts";
import { Problem } from "../http/problem.ts";
import { fallbacksOf, type ModelNames, modelOf } from "./model-names.ts";

/**
 * The model a caller means, and those to try after it. Who may use a name may use whatever it is configured to stand
 * for, its fallbacks included; who may use a model may call it by any name, and falls back only to what it may use
 * as well. Throws Problem.
 */
export function resolveModel(
  names: ModelNames,
  { models: allowed }: Pick<Caller, "models">,
  asked: string,
): { model: string; fallbacks: readonly string[] } {
  const model = modelOf(names, asked);
  const chain = fallbacksOf(names, model);
  const may = allowed && new Set(allowed.map(canonicalModelName));
  const isAllowed = (name: string): boolean => !may || may.has(canonicalModelName(name));
  const byAlias = model !== asked && isAllowed(asked);
  if (byAlias) return { model, fallbacks: chain };
  if (isAllowed(model)) return { model, fallbacks: chain.filter(isAllowed) };
  const message = `This key may not use the model ${asked}; it may use ${allowed?.join(", ")}.`;
  throw new Problem("forbidden", message, {
    errors: [{ path: "model", message: "is not allowed for this key" }],
  });
}
