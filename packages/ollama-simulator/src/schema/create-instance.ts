import { createSeededRandom } from "../text/seeded-random.ts";
import { isRecord } from "../http/go-struct.ts";

export function createInstance(schema: unknown, seed: number): unknown {
  const random = createSeededRandom(seed);
  const build = (part: unknown): unknown => {
    if (!isRecord(part)) return "text";
    if ("const" in part) return part.const;
    if (Array.isArray(part.enum)) return part.enum[random.between(0, part.enum.length - 1)];
    if (part.type === "object" || isRecord(part.properties)) {
      const properties = isRecord(part.properties) ? part.properties : {};
      return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, build(inner)]));
    }
    if (part.type === "array") return [build(part.items)];
    if (part.type === "integer" || part.type === "number") return random.between(1, 100);
    if (part.type === "boolean") return random.next() < 0.5;
    if (part.type === "null") return null;
    return "text";
  };
  return build(schema);
}
