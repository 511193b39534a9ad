import type { JobRecord } from "@forebay/queue-bullmq";
import {
  canonicalModelName,
  isFinalState,
  jobStateSchema,
  laneSchema,
  modelNameSchema,
} from "@forebay/queue-contracts";
import { z } from "zod";
import { invalidQuery, readQuery } from "../../http/query.ts";

export const listLimit = { max: 100, preset: 20 };

export const listParameterSchemas = {
  state: jobStateSchema,
  model: modelNameSchema,
  lane: laneSchema,
  created_after: z.iso.datetime({ offset: true }),
  limit: z.coerce.number().int().min(1).max(listLimit.max),
  cursor: z.string(),
};
type Parameters = { [K in keyof typeof listParameterSchemas]?: z.infer<(typeof listParameterSchemas)[K]> };

export type ListQuery = {
  readonly filter: Omit<Parameters, "limit" | "cursor"> & { readonly metadata: ReadonlyMap<string, string> };
  readonly limit: number;
  readonly cursor: string | undefined;
};

const metadataName = /^metadata\[(.+)\]$/su;

/** The parameters of `GET /jobs`. Throws Problem. */
export function parseListQuery(url: string): ListQuery {
  const given = readQuery(
    url,
    (name) => Object.hasOwn(listParameterSchemas, name) || metadataName.test(name),
  );
  const values: Record<string, unknown> = {};
  const metadata = new Map<string, string>();
  for (const [name, text] of given) {
    const key = metadataName.exec(name)?.[1];
    if (key === undefined) values[name] = parseParameter(name as keyof Parameters, text);
    else metadata.set(key, text);
  }
  const { limit = listLimit.preset, cursor, ...filter }: Parameters = values;
  return { filter: { ...filter, metadata }, limit, cursor };
}

function parseParameter(name: keyof Parameters, text: string): unknown {
  const parsed = listParameterSchemas[name].safeParse(text);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues[0]?.message ?? "is wrong";
  throw invalidQuery(name, `is not usable: ${why.replace(/^Invalid (input|option): /, "")}`);
}

/** Equal for queries of the same tenant that list the same jobs. */
export function listName(tenant: string, { metadata, ...filter }: ListQuery["filter"]): string {
  const pairs = [...metadata].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([tenant, filter.state, filter.model, filter.lane, filter.created_after, pairs]);
}

export function matchesFilter(filter: ListQuery["filter"], { job, state }: JobRecord): boolean {
  if (filter.state !== undefined && state !== filter.state) return false;
  if (filter.lane !== undefined && job?.lane !== filter.lane) return false;
  if (filter.model !== undefined && !isSameModel(job?.model, filter.model)) return false;
  for (const [key, value] of filter.metadata) if (job?.metadata?.[key] !== value) return false;
  return true;
}

/** Which half of the tenant's index can hold such jobs. */
export function halfOf({ state }: ListQuery["filter"]): { openOnly?: true; endedOnly?: true } {
  if (state === undefined) return {};
  return isFinalState(state) ? { endedOnly: true } : { openOnly: true };
}

function isSameModel(model: string | undefined, wanted: string): boolean {
  return model !== undefined && canonicalModelName(model) === canonicalModelName(wanted);
}
