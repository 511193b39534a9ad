import { laneSchema, modelNameSchema, nameSchema } from "@forebay/queue-contracts";
import { z } from "zod";

/**
 * What a key may do. `client`: its tenant's own jobs. `operator`: also dead letters, queues and other
 * tenants' jobs, without their prompts. `admin`: everything, prompts and keys included.
 */
export const roleSchema = z.enum(["client", "operator", "admin"]);
export type Role = z.infer<typeof roleSchema>;

/** An API key as it is stored: everything but the key itself. */
export const keyRecordSchema = z.strictObject({
  /** Names the key in lists, logs and audit entries; says nothing about its secret. */
  id: z.string().regex(/^key_[0-9a-z]{10}$/),
  /** SHA-256 of the key, in hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  name: nameSchema,
  tenant: nameSchema,
  role: roleSchema,
  /** Models it may use; absent: all. */
  models: z.array(modelNameSchema).optional(),
  default_lane: laneSchema.default("standard"),
  /** Lanes it may use; absent: all. */
  lanes: z.array(laneSchema).optional(),
  /** Share of the tenant when GPUs are short, relative to the others' 1. */
  weight: z.number().positive().max(1_000).default(1),
  limits: z
    .strictObject({
      /** Jobs of the tenant that may be open (waiting, delayed or running) at once. */
      jobs_open_max: z.int().min(1).optional(),
      /** Of them, those that may run at once; the others wait and others pass them. */
      jobs_running_max: z.int().min(1).optional(),
      /** Jobs of the tenant taken per minute; a whole minute's worth at once. */
      requests_per_min: z.int().min(1).optional(),
      /** Tokens read and written per minute, and per day in UTC: reserved as estimated, settled as used. */
      tokens_per_min: z.int().min(1).optional(),
      tokens_per_day: z.int().min(1).optional(),
    })
    .default({}),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().optional(),
  disabled: z.boolean().default(false),
});
export type KeyRecord = z.infer<typeof keyRecordSchema>;

/** What a person says to make a key. */
export const keyInputSchema = keyRecordSchema
  .omit({ id: true, hash: true, created_at: true, disabled: true })
  .extend({ role: roleSchema.default("client") });
export type KeyInput = z.input<typeof keyInputSchema>;
