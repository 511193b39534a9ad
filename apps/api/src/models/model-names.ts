import { canonicalModelName } from "@forebay/queue-contracts";

/** Other names for models, and what takes the place of a model that cannot serve; as configured. */
export type ModelNames = {
  /** Alias → model. Canonical names. */ readonly aliases: ReadonlyMap<string, string>;
  /** Model → those to try after it, in order. The keys are canonical names. */
  readonly fallbacks: ReadonlyMap<string, readonly string[]>;
};

/** The model a name stands for; itself unless it is an alias. */
export function modelOf(names: ModelNames, name: string): string {
  return names.aliases.get(canonicalModelName(name)) ?? name;
}

export function fallbacksOf(names: ModelNames, model: string): readonly string[] {
  return names.fallbacks.get(canonicalModelName(model)) ?? [];
}
