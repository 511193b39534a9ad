import type { SeededRandom } from "../text/seeded-random.ts";
import { type PatternNode, parsePattern } from "./parse-pattern.ts";
import { lengthMax, UnusableSchemaError } from "./schema.ts";

/** A text the pattern matches, as far as parsePattern understands it. `generosity` repeats more often. */
export function createMatching(pattern: string, random: SeededRandom, generosity = 0): string {
  let repeated = 0;
  const write = (node: PatternNode): string => {
    switch (node.kind) {
      case "text":
        return node.text;
      case "set":
        return random.pick(node.characters);
      case "sequence":
        return node.nodes.map(write).join("");
      case "choice":
        return write(random.pick(node.nodes));
      case "repeat": {
        const most = Math.min(node.max, Math.max(node.min, 1) + 2 + generosity);
        const times = random.between(Math.min(node.min + generosity, most), most);
        if ((repeated += times) > lengthMax)
          throw new UnusableSchemaError(`the pattern ${pattern} is too long`);
        return Array.from({ length: times }, () => write(node.node)).join("");
      }
    }
  };
  return write(parsePattern(pattern));
}
