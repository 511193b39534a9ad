import type { SeededRandom } from "../text/seeded-random.ts";
import { takeWords } from "../text/words.ts";
import { createFormatted } from "./create-formatted.ts";
import { createMatching } from "./create-matching.ts";
import { lengthMax, numberOf, type Schema, UnusableSchemaError } from "./schema.ts";

// A pattern leaves the length open; so often another match is tried.
const attempts = 60;

export function createString(schema: Schema, random: SeededRandom): string {
  const min = numberOf(schema, "minLength") ?? 0;
  const max = numberOf(schema, "maxLength") ?? Number.POSITIVE_INFINITY;
  if (min > lengthMax) throw new UnusableSchemaError(`a string of ${min} characters is too long`);
  if (typeof schema.pattern === "string") return createFitting(schema.pattern, min, max, random);
  const formatted = typeof schema.format === "string" ? createFormatted(schema.format, random) : undefined;
  return formatted ?? createProse(min, max, random);
}

function createProse(min: number, max: number, random: SeededRandom): string {
  const words = takeWords(random.between(0, 0xffffffff), Math.max(random.between(1, 4), Math.ceil(min)));
  let text = "";
  for (const [index, word] of words.entries()) {
    // As few words as will do, once a sentence's worth is reached.
    if (index >= 4 && text.length >= min) break;
    text += word;
  }
  return text.replace(/\.$/, "").slice(0, max).padEnd(min, "a");
}

function createFitting(pattern: string, min: number, max: number, random: SeededRandom): string {
  let best = "";
  for (let attempt = 0; attempt < attempts; attempt++) {
    // More generous repetitions with every attempt, should the first ones be too short.
    best = createMatching(pattern, random, Math.min(attempt, Math.max(min, 1)));
    if (best.length >= min && best.length <= max) return best;
  }
  return best;
}
