import { type Capability, capabilities } from "./capability.ts";
import { createModelCard, type ModelCard } from "./model-card.ts";
import { parseModelName } from "./model-name.ts";

export class ModelStore {
  readonly #cards = new Map<string, ModelCard>();

  constructor(specs: readonly string[]) {
    for (const spec of specs) this.add(parseModelSpec(spec));
  }

  add(card: ModelCard): void {
    this.#cards.set(card.name.toLowerCase(), card);
  }

  /** Any spelling: case and the default tag do not matter. */
  find(raw: string): ModelCard | undefined {
    return this.#cards.get(parseModelName(raw)?.toLowerCase() ?? "");
  }

  remove(card: ModelCard): void {
    this.#cards.delete(card.name.toLowerCase());
  }

  /** Newest first, as Ollama lists them. */
  list(): ModelCard[] {
    return [...this.#cards.values()].sort((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime());
  }
}

/** `name` or `name=completion+tools`. Throws a RangeError that says what is wrong. */
export function parseModelSpec(spec: string): ModelCard {
  const [raw = "", list] = spec.split("=", 2);
  const name = parseModelName(raw.trim());
  if (name === undefined) throw new RangeError(`"${raw}" is not a model name`);
  if (list === undefined) return createModelCard(name);
  const given = list.split("+").map((word) => {
    const known = capabilities.find((capability) => capability === word.trim());
    if (known === undefined)
      throw new RangeError(
        `model "${name}": unknown capability "${word}", one of ${capabilities.join(", ")}`,
      );
    return known;
  });
  return createModelCard(name, new Set<Capability>(given));
}
