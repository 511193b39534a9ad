import { listOf, recordOf, type Schema } from "./schema.ts";

type Merge = (a: unknown, b: unknown) => unknown;

const largest: Merge = (a, b) => Math.max(Number(a), Number(b));
const smallest: Merge = (a, b) => Math.min(Number(a), Number(b));
const both: Merge = (a, b) => (a === true ? b : b === true ? a : mergeSchemas(recordOf(a), recordOf(b)));

const rules: Record<string, Merge> = {
  properties: (a, b) => mergeEach(recordOf(a), recordOf(b)),
  patternProperties: (a, b) => mergeEach(recordOf(a), recordOf(b)),
  required: (a, b) => [...new Set([...listOf(a), ...listOf(b)])],
  enum: (a, b) => intersect(listOf(a), listOf(b)),
  type: mergeTypes,
  minimum: largest,
  exclusiveMinimum: largest,
  minLength: largest,
  minItems: largest,
  minProperties: largest,
  maximum: smallest,
  exclusiveMaximum: smallest,
  maxLength: smallest,
  maxItems: smallest,
  maxProperties: smallest,
  multipleOf: leastCommonMultiple,
  items: both,
  uniqueItems: (a, b) => a === true || b === true,
  additionalProperties: (a, b) => (a === false || b === false ? false : both(a, b)),
};

/** A schema whose values are valid by both; the second wins where two rules cannot be combined. */
export function mergeSchemas(a: Schema, b: Schema): Schema {
  const merged: Schema = { ...a };
  for (const [keyword, value] of Object.entries(b)) {
    const rule = rules[keyword];
    merged[keyword] = keyword in a && rule !== undefined ? rule(a[keyword], value) : value;
  }
  return merged;
}

function mergeEach(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...a };
  for (const [name, schema] of Object.entries(b)) {
    // Not merged here: what is inside may hold references that only resolve later.
    merged[name] = name in a ? { allOf: [a[name], schema] } : schema;
  }
  return merged;
}

function intersect(a: unknown[], b: unknown[]): unknown[] {
  const texts = new Set(b.map((value) => JSON.stringify(value)));
  return a.filter((value) => texts.has(JSON.stringify(value)));
}

function mergeTypes(a: unknown, b: unknown): unknown {
  const first = [a].flat();
  const second = [b].flat();
  const common = first.filter((type) => second.includes(type));
  if (common.length > 0) return common;
  // Every integer is a number.
  const numeric = [...first, ...second].filter((type) => type === "integer" || type === "number");
  return numeric.length >= 2 ? "integer" : b;
}

function leastCommonMultiple(a: unknown, b: unknown): number {
  const [first, second] = [Number(a), Number(b)];
  for (let multiple = first; multiple < first * second; multiple += first) {
    if (multiple % second === 0) return multiple;
  }
  return first * second;
}
