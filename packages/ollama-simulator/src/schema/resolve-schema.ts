import { isRecord } from "../http/go-struct.ts";
import { mergeSchemas } from "./merge-schemas.ts";
import { type Build, depthMax, generousDepth, listOf, type Schema, UnusableSchemaError } from "./schema.ts";

const combining = ["$ref", "allOf", "anyOf", "oneOf", "if", "then", "else"];

/** The schema with its references followed, its parts merged and its choices made. */
export function resolveSchema(schema: unknown, build: Build, hops = 0): Schema {
  if (schema === true || schema === undefined) return {};
  if (!isRecord(schema)) throw new UnusableSchemaError(`unrecognized schema: ${JSON.stringify(schema)}`);
  if (hops > depthMax) throw new UnusableSchemaError("the schema refers to itself without end");
  const resolve = (part: unknown) => resolveSchema(part, build, hops + 1);
  const parts = [
    ...(typeof schema.$ref === "string" ? [followReference(schema.$ref, build.root)] : []),
    ...listOf(schema.allOf),
    ...chooseBranch(schema.anyOf, build),
    ...chooseBranch(schema.oneOf, build),
    // A value that fulfils the condition and its consequence is always right.
    ...(isRecord(schema.if) ? [schema.if, schema.then ?? true] : []),
  ];
  const own = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !combining.includes(keyword)));
  return parts.map(resolve).reduce(mergeSchemas, own);
}

function chooseBranch(branches: unknown, { random, depth }: Build): unknown[] {
  const [first, ...more] = listOf(branches).filter((branch) => branch !== false);
  if (!Array.isArray(branches) || first === undefined) return [];
  if (depth < generousDepth) return [random.pick([first, ...more])];
  // Deep down the plainest branch is the way out of a recursion.
  return [[first, ...more].toSorted((a, b) => weight(a) - weight(b))[0]];
}

function weight(schema: unknown): number {
  const text = JSON.stringify(schema);
  return text.length + (text.includes('"$ref"') ? 1e6 : 0);
}

function followReference(reference: string, root: unknown): unknown {
  if (!reference.startsWith("#")) throw new UnusableSchemaError(`cannot fetch ${reference}`);
  const steps = reference.slice(1).split("/").slice(1);
  let target: unknown = root;
  for (const step of steps) {
    const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    target = Array.isArray(target) ? target[Number(key)] : isRecord(target) ? target[key] : undefined;
  }
  if (target === undefined) throw new UnusableSchemaError(`unresolvable reference ${reference}`);
  return target;
}
