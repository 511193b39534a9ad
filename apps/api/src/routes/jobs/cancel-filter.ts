import type { JobRecord } from "@forebay/queue-bullmq";
import {
  canonicalModelName,
  laneSchema,
  metadataSchema,
  modelNameSchema,
  nameSchema,
} from "@forebay/queue-contracts";
import { z } from "zod";
import { type Caller, seesAllTenants } from "../../auth/caller.ts";
import { Problem } from "../../http/problem.ts";
import { tenantOfRecord } from "./job-view.ts";

const openStates = ["waiting", "delayed", "active"] as const;

/** Which jobs are meant: those for which everything holds that is given. */
const cancelFilterSchema = z.strictObject({
  tenant: nameSchema
    .optional()
    .describe("Only jobs of this tenant. Clients: their own, which is the default."),
  model: modelNameSchema.optional(),
  lane: laneSchema.optional(),
  state: z.enum(openStates).optional(),
  user: z.string().min(1).optional(),
  metadata: metadataSchema.optional().describe("Only jobs whose metadata holds all these pairs."),
  created_before: z.iso.datetime({ offset: true }).optional(),
});
export type CancelFilter = z.infer<typeof cancelFilterSchema>;

/** Body of `POST /jobs/cancel`. */
export const cancelBodySchema = z
  .strictObject({
    filter: cancelFilterSchema,
    all: z
      .literal(true)
      .optional()
      .describe("Needed where the filter names nothing: all jobs of all tenants."),
    dry_run: z.boolean().default(false).describe("Only say how many there are."),
    limit: z.int().min(1).max(10_000).default(1_000).describe("At most so many."),
  })
  .meta({ id: "CancelJobs" });

/** The filter as this caller may use it. Throws Problem. */
export function limitFilter(
  body: Pick<z.infer<typeof cancelBodySchema>, "filter" | "all">,
  caller: Caller,
): CancelFilter {
  const { filter, all } = body;
  if (!seesAllTenants(caller)) {
    if (filter.tenant !== undefined && filter.tenant !== caller.tenant) {
      throw new Problem("forbidden", "Only operators and admins may cancel the jobs of another tenant.");
    }
    return { ...filter, tenant: caller.tenant };
  }
  if (Object.values(filter).every((value) => value === undefined) && !all) {
    const message = 'names nothing, which means all jobs of all tenants: say so with "all": true';
    throw new Problem("invalid_body", `filter ${message}.`, { errors: [{ path: "filter", message }] });
  }
  return filter;
}

/** Whether a job is meant. One whose payload nobody can read is meant by its tenant, its state and its age only. */
export function isMeant(filter: CancelFilter, record: JobRecord): boolean {
  const { job, state, createdAt } = record;
  if (filter.tenant !== undefined && tenantOfRecord(record) !== filter.tenant) return false;
  if (filter.state !== undefined && state !== filter.state) return false;
  if (filter.created_before !== undefined && createdAt.getTime() >= Date.parse(filter.created_before))
    return false;
  if (filter.lane !== undefined && job?.lane !== filter.lane) return false;
  if (filter.user !== undefined && job?.user !== filter.user) return false;
  if (filter.model !== undefined && !(job && isModel(filter.model)(job.model))) return false;
  return Object.entries(filter.metadata ?? {}).every(([key, value]) => job?.metadata?.[key] === value);
}

/** Whether a model's name means the same as this one. */
export function isModel(wanted: string): (model: string) => boolean {
  const name = canonicalModelName(wanted);
  return (model) => canonicalModelName(model) === name;
}
