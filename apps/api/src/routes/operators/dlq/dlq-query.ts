import { type DeadLetterFilter, deadLetterFilterSchema } from "@forebay/queue-bullmq";
import { z } from "zod";
import { invalidQuery, readQuery } from "../../../http/query.ts";

export const listLimit = { max: 100, preset: 20 };

export const filterParameterSchemas = deadLetterFilterSchema.shape;
export const pageParameterSchemas = {
  limit: z.coerce.number().int().min(1).max(listLimit.max).optional(),
  cursor: z.string().optional(),
};

/** The filter in a query, with the page where `paged`. Throws Problem. */
export function parseDlqQuery(
  url: string,
  paged: boolean,
): { filter: DeadLetterFilter; limit: number; cursor: string | undefined } {
  const schemas: Record<string, z.ZodType> = {
    ...filterParameterSchemas,
    ...(paged && pageParameterSchemas),
  };
  const { limit, cursor, ...filter } = parseParameters(url, schemas);
  return {
    filter: deadLetterFilterSchema.parse(filter),
    limit: limit === undefined ? listLimit.preset : Number(limit),
    cursor: cursor === undefined ? undefined : String(cursor),
  };
}

/** A query with a page and nothing else. Throws Problem. */
export function parsePageQuery(url: string): { limit: number; cursor: string | undefined } {
  const { limit, cursor } = parseParameters(url, pageParameterSchemas);
  return {
    limit: limit === undefined ? listLimit.preset : Number(limit),
    cursor: cursor === undefined ? undefined : String(cursor),
  };
}

function parseParameters(url: string, schemas: Readonly<Record<string, z.ZodType>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of readQuery(url, (each) => Object.hasOwn(schemas, each))) {
    const parsed = schemas[name]?.safeParse(text);
    if (!parsed?.success) {
      const why = parsed?.error.issues[0]?.message ?? "is wrong";
      throw invalidQuery(name, `is not usable: ${why.replace(/^Invalid (input|option): /, "")}`);
    }
    values[name] = parsed.data;
  }
  return values;
}
