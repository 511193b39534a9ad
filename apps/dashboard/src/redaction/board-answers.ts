import { z } from "zod";
import { redactedJobSchema, redactedProgressSchema } from "./redacted-job.ts";

// zod drops what a schema does not name: what is not listed here is not shown, whatever a later version of
// Bull Board adds to its answers.

const number = z.number();
const text = z.string();

const queuesSchema = z.object({
  queues: z.array(
    z.object({
      delimiter: text,
      name: text,
      displayName: text.optional(),
      description: text.optional(),
      counts: z.record(text, number),
      jobs: z.array(redactedJobSchema),
      statuses: z.array(text),
      pagination: z.object({ pageCount: number, range: z.object({ start: number, end: number }) }),
      // Only admins get unredacted answers, and only they may change things.
      readOnlyMode: z.unknown().transform(() => true),
      allowRetries: z.unknown().transform(() => false),
      allowCompletedRetries: z.unknown().transform(() => false),
      isPaused: z.boolean(),
      type: text,
      globalConcurrency: number.nullable(),
      activeRateLimitTtl: number,
      supportsGlobalRateLimit: z.boolean(),
      jobSchedulerCount: number,
      hasWorkers: z.boolean().nullable(),
    }),
  ),
});

const jobSchema = z.object({ job: redactedJobSchema, status: text });

const logsSchema = z
  .array(z.unknown())
  .transform((lines) => (lines.length === 0 ? [] : [`${lines.length} line(s), shown to admins only`]));

const flowNodeSchema = z.object({
  id: text,
  name: z.unknown().transform(() => "job"),
  state: text,
  progress: redactedProgressSchema,
  queueName: text,
  truncated: z.boolean().optional(),
  dependencies: z
    .object({ processed: number, unprocessed: number, ignored: number, failed: number })
    .optional(),
  get children() {
    return z.array(flowNodeSchema);
  },
});
const flowSchema = z.object({ nodeId: text, isFlowNode: z.boolean(), flowRoot: flowNodeSchema.nullable() });

const counterSchema = z.object({
  meta: z.object({ count: number, prevTS: number, prevCount: number }),
  data: z.array(number),
  count: number,
});
const metricsSchema = z.object({ completed: counterSchema.nullable(), failed: counterSchema.nullable() });

const workersSchema = z.object({
  workers: z.array(z.object({ id: text, name: text.nullable(), addr: text, age: number })).nullable(),
});

const rateLimitSchema = z.object({
  supported: z.boolean(),
  rateLimit: z.object({ max: number, duration: number }).nullable(),
});

const redisSchema = z.object({
  backend: text.optional(),
  version: text.optional(),
  mode: text.optional(),
  port: number.optional(),
  os: text.optional(),
  uptime: number.optional(),
  memory: z.object({ total: number, used: number, fragmentationRatio: number, peak: number }).optional(),
  clients: z.object({ connected: number, blocked: number }).optional(),
});

const schedulersSchema = z.object({
  schedulers: z.array(
    z.object({
      id: text,
      queueName: text,
      name: z.unknown().transform(() => "schedule"),
      pattern: text.optional(),
      every: number.optional(),
      tz: text.optional(),
      next: number.optional(),
      nextRunJobId: text.optional(),
      lastRun: number.optional(),
      lastRunJobId: text.optional(),
      iterationCount: number.optional(),
    }),
  ),
});

const nothingSchema = z.object({});

/** An error's key only: its message can be any text that was thrown. */
export const redactedErrorSchema = z.object({
  error: z.object({ key: text.regex(/^ERRORS\.[A-Z_]+$/) }),
  code: text.regex(/^\w{1,64}$/).optional(),
});

/** Bull Board's readings by path below `/api`; in its order, since `/queues/:queue/:job` matches the others too. */
export const redactedAnswers: readonly { path: RegExp; schema: z.ZodType }[] = [
  { path: /^\/redis\/stats$/, schema: redisSchema },
  { path: /^\/queues$/, schema: queuesSchema },
  { path: /^\/job-schedulers$/, schema: schedulersSchema },
  { path: /^\/queues\/[^/]+\/metrics$/, schema: metricsSchema },
  { path: /^\/queues\/[^/]+\/(default-job-options|job-data-schema)$/, schema: nothingSchema },
  { path: /^\/queues\/[^/]+\/workers$/, schema: workersSchema },
  { path: /^\/queues\/[^/]+\/rate-limit$/, schema: rateLimitSchema },
  { path: /^\/queues\/[^/]+\/[^/]+\/logs$/, schema: logsSchema },
  { path: /^\/queues\/[^/]+\/[^/]+\/flow$/, schema: flowSchema },
  { path: /^\/queues\/[^/]+\/[^/]+$/, schema: jobSchema },
];
