import { createSeededRandom } from "../text/seeded-random.ts";
import { createArray } from "./create-array.ts";
import { createNumber } from "./create-number.ts";
import { createObject } from "./create-object.ts";
import { createString } from "./create-string.ts";
import { resolveSchema } from "./resolve-schema.ts";
import { type Build, depthMax, generousDepth, listOf, type Schema, UnusableSchemaError } from "./schema.ts";

/**
 * A value that is valid by the schema, always the same for the same seed. `not`, and a `oneOf` whose
 * branches overlap, are beyond it; everything usual is covered. Throws an UnusableSchemaError.
 */
export function createInstance(schema: unknown, seed: number): unknown {
  const random = createSeededRandom(seed);
  let values = 0;
  const build = (part: unknown, depth: number): unknown => {
    if (depth > depthMax || ++values > valuesMax)
      throw new UnusableSchemaError("the schema requires more than a model could say");
    const context: Build = {
      root: schema,
      random,
      depth: values > generousValues ? Math.max(depth, generousDepth) : depth,
      nested: (inner) => build(inner, depth + 1),
    };
    return createValue(resolveSchema(part, context), context);
  };
  return build(schema, 0);
}

// Beyond the first number only what is required is built, beyond the second nothing.
const generousValues = 1_000;
const valuesMax = 20_000;

function createValue(schema: Schema, build: Build): unknown {
  if ("const" in schema) return schema.const;
  const [first, ...more] = listOf(schema.enum);
  if (Array.isArray(schema.enum)) {
    if (schema.enum.length === 0) throw new UnusableSchemaError("an empty enum allows nothing");
    return build.random.pick([first, ...more]);
  }
  const type = chooseType(schema, build);
  switch (type) {
    case "object":
      return createObject(schema, build);
    case "array":
      return createArray(schema, build);
    case "string":
      return createString(schema, build.random);
    case "integer":
    case "number":
      return createNumber(schema, type, build.random);
    case "boolean":
      return build.random.next() < 0.5;
    case "null":
      return null;
    default:
      throw new UnusableSchemaError(`unrecognized type: ${JSON.stringify(type)}`);
  }
}

function chooseType(schema: Schema, { random }: Build): unknown {
  if (!Array.isArray(schema.type)) return schema.type ?? impliedType(schema);
  const [first, ...more] = schema.type.filter((type) => type !== "null");
  return first === undefined ? "null" : random.pick([first, ...more]);
}

const impliedBy: [keyword: RegExp, type: string][] = [
  [/^(properties|required|additionalProperties|patternProperties|minProperties|propertyNames)$/, "object"],
  [/^(items|prefixItems|minItems|maxItems|uniqueItems|contains)$/, "array"],
  [/^(minimum|maximum|exclusiveMinimum|exclusiveMaximum|multipleOf)$/, "number"],
];

function impliedType(schema: Schema): string {
  const keywords = Object.keys(schema);
  const implied = impliedBy.find(([pattern]) => keywords.some((keyword) => pattern.test(keyword)));
  return implied?.[1] ?? "string";
}
