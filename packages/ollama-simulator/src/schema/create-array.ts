import { type Build, generousDepth, listOf, numberOf, type Schema } from "./schema.ts";

// So often a duplicate is replaced before the array stays shorter.
const attempts = 30;

export function createArray(schema: Schema, build: Build): unknown[] {
  // Before draft 2020 a list of schemas stood under `items` and the rest under `additionalItems`.
  const prefix = listOf(Array.isArray(schema.items) ? schema.items : schema.prefixItems);
  const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
  const length = chooseLength(schema, prefix.length, rest, build);
  const items = prefix.slice(0, length).map((item) => build.nested(item));
  if (schema.contains !== undefined && items.length < length)
    items.push(build.nested({ allOf: [schema.contains, rest ?? true] }));
  for (let attempt = 0; items.length < length && attempt < length + attempts; attempt++) {
    const item = build.nested(rest ?? { type: "string" });
    if (schema.uniqueItems !== true || !includes(items, item)) items.push(item);
  }
  return items;
}

function chooseLength(schema: Schema, prefix: number, rest: unknown, { random, depth }: Build): number {
  const min = Math.max(numberOf(schema, "minItems") ?? 0, schema.contains === undefined ? 0 : prefix + 1);
  const open = rest === false ? prefix : Number.POSITIVE_INFINITY;
  const max = Math.min(numberOf(schema, "maxItems") ?? Number.POSITIVE_INFINITY, open);
  if (depth >= generousDepth) return min;
  const wanted = Math.max(min, prefix, 1);
  return Math.min(max, random.between(wanted, wanted + (prefix > 0 ? 0 : 2)));
}

function includes(items: unknown[], item: unknown): boolean {
  const text = JSON.stringify(item);
  return items.some((other) => JSON.stringify(other) === text);
}
