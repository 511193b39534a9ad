import { z } from "zod";

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Levels of nesting in a free JSON value: deeper ones overflow the stack of whoever walks them. */
export const jsonDepthMax = 100;

/** Any JSON value of at most 100 levels: the shape is somebody else's business (a JSON Schema, a tool's arguments). */
export const jsonValueSchema = z.custom<JsonValue>(isShallowJson, {
  error: `must be JSON of at most ${jsonDepthMax} levels`,
});

// Level by level instead of recursively: it must be able to refuse what would overflow the stack.
function isShallowJson(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > jsonDepthMax || !level.every(isJsonNode)) return false;
    level = level.flatMap((node) => (typeof node === "object" && node !== null ? Object.values(node) : []));
  }
  return true;
}

function isJsonNode(value: unknown): boolean {
  if (typeof value !== "object") {
    return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  }
  return value === null || Array.isArray(value) || isPlainObject(value);
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
