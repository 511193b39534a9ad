import { canonicalModelName } from "@forebay/queue-contracts";
import type { Caller } from "../auth/caller.ts";
import type { ModelNames } from "./model-names.ts";

/** The aliases a caller may use whose model is known, by name: an alias that leads nowhere is not offered. */
export function listAliases(
  names: ModelNames,
  { models: allowed }: Pick<Caller, "models">,
  known: ReadonlySet<string>,
): { name: string; model: string }[] {
  const may = allowed && new Set(allowed.map(canonicalModelName));
  return [...names.aliases]
    .map(([alias, model]) => ({ alias, model: canonicalModelName(model) }))
    .filter(({ alias, model }) => known.has(model) && (!may || may.has(alias) || may.has(model)))
    .map(({ alias, model }) => ({ name: alias.replace(/:latest$/, ""), model }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
