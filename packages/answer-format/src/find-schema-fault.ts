import { isLocalReference, resolveReference } from "./resolve-reference.ts";

/** What keeps a JSON Schema from being checked, and where: `path` is as in code, `properties.age.type`. */
export type SchemaFault = { readonly path: string; readonly message: string };

/** Larger ones are no grammar a model could follow, and cost whoever walks them. */
const nodesMax = 10_000;
const depthMax = 64;
const patternCharsMax = 2_000;

type Check = (value: unknown, at: Place) => SchemaFault | undefined;
/** `count`: nodes walked so far, of the whole schema. */
type Place = {
  readonly root: object;
  readonly path: readonly (string | number)[];
  readonly walk: { count: number };
};

/**
 * The first thing wrong with a JSON Schema (drafts 4 to 2020-12); undefined: answers can be checked against it.
 * Keywords nobody knows are passed over, as the standard wants. Takes time in proportion to the schema.
 */
export function findSchemaFault(schema: unknown): SchemaFault | undefined {
  if (typeof schema === "boolean") return undefined;
  if (!isObject(schema)) return { path: "", message: "must be a JSON Schema, an object" };
  return checkSchema(schema, { root: schema, path: [], walk: { count: 0 } });
}

const checkSchema: Check = (value, at) => {
  if (typeof value === "boolean") return undefined;
  if (!isObject(value)) return fault(at, "must be a JSON Schema, an object or a boolean");
  at.walk.count++;
  if (at.walk.count > nodesMax) return fault(at, `must hold at most ${nodesMax} schemas`);
  if (at.path.length > depthMax) return fault(at, `must be nested at most ${depthMax} levels deep`);
  for (const [keyword, given] of Object.entries(value)) {
    const found = Object.hasOwn(keywords, keyword) && keywords[keyword]?.(given, inside(at, keyword));
    if (found) return found;
  }
  return undefined;
};

const schemaList: Check = (value, at) =>
  Array.isArray(value) && value.length > 0
    ? each(value.entries(), checkSchema, at)
    : fault(at, "must be a list of schemas, not empty");

const schemaMap: Check = (value, at) =>
  isObject(value) ? each(Object.entries(value), checkSchema, at) : fault(at, "must be an object of schemas");

const texts: Check = (value, at) =>
  Array.isArray(value) && value.every((each) => typeof each === "string")
    ? undefined
    : fault(at, "must be a list of texts");

const count: Check = (value, at) =>
  Number.isInteger(value) && Number(value) >= 0 ? undefined : fault(at, "must be a whole number, 0 or more");

const number: Check = (value, at) => (Number.isFinite(value) ? undefined : fault(at, "must be a number"));

const limit: Check = (value, at) =>
  // A boolean in draft 4.
  typeof value === "boolean" ? undefined : number(value, at);

const typeNames = ["null", "boolean", "object", "array", "number", "string", "integer"];
const type: Check = (value, at) => {
  const names = Array.isArray(value) ? value : [value];
  return names.length > 0 && names.every((name) => typeNames.includes(name as string))
    ? undefined
    : fault(at, `must be one of ${typeNames.join(", ")}, or a list of them`);
};

const pattern: Check = (value, at) => {
  if (typeof value !== "string") return fault(at, "must be a regular expression");
  if (value.length > patternCharsMax) return fault(at, `must have at most ${patternCharsMax} characters`);
  try {
    new RegExp(value, "u");
    return undefined;
  } catch {
    return fault(at, "is not a regular expression (ECMA-262, Unicode)");
  }
};

const patterns: Check = (value, at) => {
  if (!isObject(value)) return fault(at, "must be an object of schemas");
  return each(
    Object.entries(value),
    (schema, place) => pattern(place.path.at(-1), place) ?? checkSchema(schema, place),
    at,
  );
};

const reference: Check = (value, at) => {
  if (typeof value !== "string") return fault(at, "must be a text");
  if (!isLocalReference(value))
    return fault(at, 'must refer to a place in this schema ("#/…"): nothing is fetched');
  return resolveReference(at.root, value) === undefined
    ? fault(at, "refers to nothing in this schema")
    : undefined;
};

const unsupportedReference: Check = (_, at) => fault(at, "is not supported; use $ref");

const keywords: Readonly<Record<string, Check>> = {
  $ref: reference,
  $dynamicRef: unsupportedReference,
  $recursiveRef: unsupportedReference,
  // Another base would make local references remote ones.
  $id: (value, at) =>
    typeof value === "string" && (at.path.length === 1 || value.startsWith("#"))
      ? undefined
      : fault(at, "must be a text, and stand at the top"),
  $anchor: (value, at) => (typeof value === "string" ? undefined : fault(at, "must be a text")),
  type,
  enum: (value, at) =>
    Array.isArray(value) && value.length > 0 ? undefined : fault(at, "must be a list, not empty"),
  required: (value, at) =>
    typeof value === "boolean" ? fault(at, "must be a list of texts") : texts(value, at),
  dependentRequired: (value, at) =>
    isObject(value) ? each(Object.entries(value), texts, at) : fault(at, "must be an object of lists"),
  dependencies: (value, at) =>
    isObject(value)
      ? each(
          Object.entries(value),
          (one, place) => (Array.isArray(one) ? texts : checkSchema)(one, place),
          at,
        )
      : fault(at, "must be an object"),
  pattern,
  patternProperties: patterns,
  properties: schemaMap,
  $defs: schemaMap,
  definitions: schemaMap,
  dependentSchemas: schemaMap,
  allOf: schemaList,
  anyOf: schemaList,
  oneOf: schemaList,
  prefixItems: schemaList,
  items: (value, at) =>
    Array.isArray(value) ? each(value.entries(), checkSchema, at) : checkSchema(value, at),
  additionalItems: checkSchema,
  unevaluatedItems: checkSchema,
  contains: checkSchema,
  additionalProperties: checkSchema,
  unevaluatedProperties: checkSchema,
  propertyNames: checkSchema,
  not: checkSchema,
  // As a list: an object with a `then` could be taken for a promise.
  ...Object.fromEntries(["if", "then", "else"].map((name) => [name, checkSchema])),
  minLength: count,
  maxLength: count,
  minItems: count,
  maxItems: count,
  minProperties: count,
  maxProperties: count,
  minContains: count,
  maxContains: count,
  minimum: number,
  maximum: number,
  exclusiveMinimum: limit,
  exclusiveMaximum: limit,
  multipleOf: (value, at) =>
    Number.isFinite(value) && Number(value) > 0 ? undefined : fault(at, "must be a number above 0"),
  uniqueItems: (value, at) => (typeof value === "boolean" ? undefined : fault(at, "must be true or false")),
  format: (value, at) => (typeof value === "string" ? undefined : fault(at, "must be a text")),
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const inside = (at: Place, name: string | number): Place => ({ ...at, path: [...at.path, name] });

function each(
  entries: Iterable<readonly [string | number, unknown]>,
  check: Check,
  at: Place,
): SchemaFault | undefined {
  for (const [name, value] of entries) {
    const found = check(value, inside(at, name));
    if (found) return found;
  }
  return undefined;
}

function fault({ path }: Place, message: string): SchemaFault {
  return { path: formatPlace(path), message };
}

function formatPlace(path: readonly (string | number)[]): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      if (!/^[\w$]{1,64}$/.test(part)) return `[${JSON.stringify(part.slice(0, 64))}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join("");
}
