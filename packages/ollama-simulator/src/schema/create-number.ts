import type { SeededRandom } from "../text/seeded-random.ts";
import { numberOf, type Schema, UnusableSchemaError } from "./schema.ts";

// A range of this size is taken where the schema leaves one end open.
const openRange = 99;

export function createNumber(schema: Schema, type: "integer" | "number", random: SeededRandom): number {
  const step = stepOf(schema, type);
  const [min, max] = rangeOf(schema);
  const first = Math.ceil(min / step - 1e-9) + (isExcluded(schema.exclusiveMinimum, min, step) ? 1 : 0);
  const last = Math.floor(max / step + 1e-9) - (isExcluded(schema.exclusiveMaximum, max, step) ? 1 : 0);
  if (first <= last) return tidy(random.between(first, last) * step);
  // No multiple of a hundredth lies in between, but a number does.
  if (type === "number" && schema.multipleOf === undefined && min < max) return (min + max) / 2;
  throw new UnusableSchemaError(`no ${type} lies between ${min} and ${max}`);
}

function stepOf(schema: Schema, type: "integer" | "number"): number {
  const multiple = numberOf(schema, "multipleOf");
  if (multiple === undefined || multiple <= 0) return type === "integer" ? 1 : 0.01;
  if (type === "number" || Number.isInteger(multiple)) return multiple;
  for (let factor = 1; factor <= 1000; factor++) {
    if (Number.isInteger(tidy(multiple * factor))) return tidy(multiple * factor);
  }
  throw new UnusableSchemaError(`no integer is a multiple of ${multiple}`);
}

function rangeOf(schema: Schema): [min: number, max: number] {
  const lower = [numberOf(schema, "minimum"), numberOf(schema, "exclusiveMinimum")].filter(
    (bound) => bound !== undefined,
  );
  const upper = [numberOf(schema, "maximum"), numberOf(schema, "exclusiveMaximum")].filter(
    (bound) => bound !== undefined,
  );
  if (lower.length === 0 && upper.length === 0) return [1, 1 + openRange];
  if (lower.length === 0) return [Math.min(...upper) - openRange, Math.min(...upper)];
  const min = Math.max(...lower);
  return [
    min,
    upper.length === 0 ? min + Math.max(openRange, numberOf(schema, "multipleOf") ?? 0) : Math.min(...upper),
  ];
}

/** Draft 4 says `true` and means the other bound. */
function isExcluded(exclusive: unknown, bound: number, step: number): boolean {
  const touches = Math.abs(bound / step - Math.round(bound / step)) < 1e-9;
  return touches && (exclusive === true || exclusive === bound);
}

/** Without the dust of binary fractions: 0.3 rather than 0.30000000000000004. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
