import { canonicalModelName, modelNameSchema } from "@forebay/queue-contracts";
import type { ModelNames } from "./model-names.ts";

/** A longer chain would keep a job moving longer than anybody waits. */
const chainMax = 8;

/**
 * `alias=model` and `model=fallback|fallback` pairs, with commas or line breaks between; a line that begins with `#` is
 * a remark. An alias may stand for another one, and chains may name aliases.
 *
 * @returns the names, and every problem with them as a sentence
 */
export function parseModelNames(
  aliasText: string,
  fallbackText: string,
): ModelNames & { problems: string[] } {
  const problems: string[] = [];
  const given = new Map<string, string>();
  for (const { name, value } of parsePairs(aliasText, "alias=model", problems)) {
    if (given.has(name)) problems.push(`the alias ${name} is given twice`);
    if (isModelName(value, problems)) given.set(name, value);
  }
  const aliases = new Map<string, string>();
  for (const alias of given.keys()) {
    const model = followAlias(given, alias);
    if (model === undefined) problems.push(`the alias ${alias} leads back to itself`);
    else aliases.set(alias, model);
  }

  const fallbacks = new Map<string, readonly string[]>();
  const resolve = (name: string): string => aliases.get(canonicalModelName(name)) ?? name;
  for (const { name, value } of parsePairs(fallbackText, "model=fallback|fallback", problems)) {
    const model = canonicalModelName(resolve(name));
    const chain = value.split("|").map((part) => part.trim());
    if (!chain.every((each) => isModelName(each, problems))) continue;
    const models = chain.map(resolve);
    if (fallbacks.has(model)) problems.push(`fallbacks of ${model} are given twice`);
    if (models.length > chainMax) problems.push(`${model} has more than ${chainMax} fallbacks`);
    const seen = [model, ...models.map(canonicalModelName)];
    if (new Set(seen).size < seen.length)
      problems.push(`the fallbacks of ${model} name a model twice or ${model} itself`);
    fallbacks.set(model, models);
  }
  return { aliases, fallbacks, problems };
}

function parsePairs(text: string, shape: string, problems: string[]): { name: string; value: string }[] {
  const parts = text
    .split("\n")
    .filter((line) => !line.trim().startsWith("#"))
    .flatMap((line) => line.split(","))
    .map((part) => part.trim());
  return parts
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [, name = "", value = ""] = /^([^=]+)=(.+)$/.exec(part) ?? [];
      if (value === "") problems.push(`"${part}" is not ${shape}`);
      else if (isModelName(name.trim(), problems))
        return [{ name: canonicalModelName(name.trim()), value: value.trim() }];
      return [];
    });
}

function isModelName(name: string, problems: string[]): boolean {
  if (modelNameSchema.safeParse(name).success) return true;
  problems.push(`"${name}" is not a model name such as llama3.2:3b`);
  return false;
}

/** undefined: it leads back to itself. */
function followAlias(given: ReadonlyMap<string, string>, alias: string): string | undefined {
  const seen = new Set<string>();
  let name = alias;
  for (;;) {
    if (seen.has(canonicalModelName(name))) return undefined;
    seen.add(canonicalModelName(name));
    const next = given.get(canonicalModelName(name));
    if (next === undefined) return name;
    name = next;
  }
}
