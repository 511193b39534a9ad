import { isRecord } from "../http/go-struct.ts";
import type { SeededRandom } from "../text/seeded-random.ts";

export type Schema = Record<string, unknown>;

/** No value can be made of it; the message is for the caller. */
export class UnusableSchemaError extends Error {}

/** What travels down while a value is built. */
export type Build = {
  root: unknown;
  random: SeededRandom;
  depth: number;
  /** Builds the value of a nested schema. */
  nested: (schema: unknown) => unknown;
};

// From here on only what is required is built, so that a schema that contains itself comes to an end.
export const generousDepth = 5;
// A schema still growing here requires itself for ever.
export const depthMax = 40;
/** Characters in a single string. */
export const lengthMax = 100_000;

export function numberOf(schema: Schema, keyword: string): number | undefined {
  const value = schema[keyword];
  return typeof value === "number" ? value : undefined;
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
