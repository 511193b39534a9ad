import { takeWords } from "../text/words.ts";
import { createMatching } from "./create-matching.ts";
import {
  type Build,
  generousDepth,
  listOf,
  numberOf,
  recordOf,
  type Schema,
  UnusableSchemaError,
} from "./schema.ts";

export function createObject(schema: Schema, build: Build): Record<string, unknown> {
  const properties = recordOf(schema.properties);
  const required = listOf(schema.required).filter((name) => typeof name === "string");
  // A map rather than an object, or a property named __proto__ would get lost.
  const value = new Map<string, unknown>();
  for (const name of chooseNames(schema, properties, required, build))
    value.set(
      name,
      build.nested(Object.hasOwn(properties, name) ? properties[name] : undeclared(schema, name)),
    );
  fillUp(value, schema, build);
  return Object.fromEntries(value);
}

/** All of them in the schema's order, unless it is deep down or only so many are allowed. */
function chooseNames(
  schema: Schema,
  properties: Record<string, unknown>,
  required: string[],
  { depth }: Build,
): string[] {
  const most = numberOf(schema, "maxProperties") ?? Number.POSITIVE_INFINITY;
  const optional = Object.keys(properties).filter(
    (name) => !required.includes(name) && properties[name] !== false,
  );
  const room = depth >= generousDepth ? 0 : Math.max(most - required.length, 0);
  const chosen = new Set([...required, ...optional.slice(0, room)]);
  const declared = Object.keys(properties).filter((name) => chosen.has(name));
  return [...declared, ...required.filter((name) => !declared.includes(name))];
}

/** Names of our own, as far as `minProperties` or a schema that is all about its values ask for them. */
function fillUp(value: Map<string, unknown>, schema: Schema, build: Build): void {
  const patterns = Object.keys(recordOf(schema.patternProperties));
  const isMap = typeof schema.additionalProperties === "object" || patterns.length > 0;
  const usual = isMap && schema.properties === undefined && build.depth < generousDepth ? 2 : 0;
  const wanted = Math.min(
    Math.max(numberOf(schema, "minProperties") ?? 0, usual),
    numberOf(schema, "maxProperties") ?? Number.POSITIVE_INFINITY,
  );
  for (let attempt = 0; value.size < wanted && attempt < wanted + 30; attempt++) {
    const name = inventName(schema, patterns, attempt, build);
    if (!value.has(name)) value.set(name, build.nested(undeclared(schema, name)));
  }
}

function inventName(schema: Schema, patterns: string[], attempt: number, { random }: Build): string {
  const [pattern] =
    schema.additionalProperties === false || patterns.length > 0
      ? patterns
      : [recordOf(schema.propertyNames).pattern];
  if (typeof pattern === "string") return createMatching(pattern, random, attempt);
  return `${takeWords(random.between(0, 0xffffffff), 1).join("").toLowerCase()}${attempt === 0 ? "" : attempt}`;
}

/** What a property that has no schema of its own must look like. */
function undeclared(schema: Schema, name: string): unknown {
  const matching = Object.entries(recordOf(schema.patternProperties)).filter(([pattern]) =>
    matches(pattern, name),
  );
  if (matching.length > 0) return { allOf: matching.map(([, inner]) => inner) };
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : { type: "string" };
}

function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern, "u").test(name);
  } catch (error) {
    throw new UnusableSchemaError(`invalid pattern ${pattern}`, { cause: error });
  }
}
