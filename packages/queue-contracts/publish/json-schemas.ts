import { z } from "zod";
import * as contracts from "../src/index.ts";

/** The schemas other languages get, by file name, each with what a reader needs to know about the whole. */
const published = {
  "inference-job": {
    schema: contracts.inferenceJobSchema,
    title: "Inference job",
    description:
      "The payload (`job.data`) on every inference queue: one call of Ollama and whom it is for. Unknown fields are refused. Texts must be well-formed Unicode without NUL characters; free JSON is at most 100 levels deep.",
  },
  "inference-result": {
    schema: contracts.inferenceResultSchema,
    title: "Inference result",
    description:
      "The return value (`job.returnvalue`) of a completed job. Expect fields you do not know. Durations are milliseconds.",
  },
  failure: {
    schema: contracts.failureSchema,
    title: "Failure",
    description: "Why a job ended without a result. BullMQ's `failedReason` holds it as `<code>: <message>`.",
  },
  "dead-letter": {
    schema: contracts.deadLetterSchema,
    title: "Dead letter",
    description:
      "A job that failed for good, with everything needed to understand it and to run it again: `job.data` on the queue `{dead-letters}`.",
  },
  "stream-event": {
    schema: contracts.streamEventSchema,
    title: "Stream event",
    description:
      "What happens to a job, in order. The texts of the `token` events since the last `restart`, put together, are exactly the text of the result.",
  },
  "delivery-policy": {
    schema: contracts.deliveryPolicySchema,
    title: "Delivery policy",
    description: "How often a job is tried, how long between tries, and how long what is left of it is kept.",
  },
  "queue-entry": {
    schema: contracts.queueEntrySchema,
    title: "Queue entry",
    description:
      "One entry of the directory of inference queues: the Redis hash `<prefix>:queues`, field = queue tag.",
  },
  "job-state": {
    schema: contracts.jobStateSchema,
    title: "Job state",
    description:
      "Where a job is. `completed` is final and has a result; `failed`, `cancelled`, `expired` (never started) and `timed_out` are final and have a failure.",
  },
  "start-record": {
    schema: contracts.startRecordSchema,
    title: "Start record",
    description: "One time a worker picked a job up, and how that ended.",
  },
};

type JsonSchema = Record<string, unknown>;

/** Every published JSON Schema (draft 2020-12) by file name without `.json`. */
export function createJsonSchemas(): Map<string, JsonSchema> {
  const entries = Object.entries(published).map(([name, { schema, title, description }]) => {
    const { $schema, ...rest } = z.toJSONSchema(schema, {
      // What may be written: fields with a default may be missing, and readers let unknown fields pass.
      io: "input",
      // A custom check says "any JSON" and has no other words in JSON Schema.
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) => describeChecks(zodSchema, jsonSchema),
    });
    const $id = `urn:forebay:queue-contracts:v1:${name}`;
    return [name, { $schema, $id, title, description, ...rest }] as const;
  });
  return new Map(entries);
}

// Would otherwise be spelled out for every kind of job. Named here and not in the sources: two copies of the
// package in one process must not name things twice.
z.globalRegistry.add(contracts.modelOptionsSchema, {
  ...z.globalRegistry.get(contracts.modelOptionsSchema),
  id: "model-options",
});

// Refinements are functions; these two can be said in JSON Schema too. And no reader needs the calendar as a
// regular expression beside `date-time`.
function describeChecks(zodSchema: z.core.$ZodType, jsonSchema: JsonSchema): void {
  const { checks = [] } = zodSchema._zod.def;
  if (checks.some((check) => textChecks.has(check))) jsonSchema["pattern"] = String.raw`^[^\x00]*$`;
  if (checks.some((check) => metadataChecks.has(check))) {
    jsonSchema["maxProperties"] = contracts.metadataPairsMax;
  }
  if (jsonSchema["format"] === "date-time") delete jsonSchema["pattern"];
}
const textChecks = new Set<unknown>(contracts.textSchema._zod.def.checks);
const metadataChecks = new Set<unknown>(contracts.metadataSchema._zod.def.checks);

/** The text of a schema's file. */
export function formatJsonSchema(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
