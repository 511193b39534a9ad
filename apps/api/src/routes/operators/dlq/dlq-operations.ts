import { actionIdSchema, auditEntrySchema } from "@forebay/queue-bullmq";
import { deadLetterStateSchema, failureSchema, jobIdSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import type { Operation, Parameter } from "../../../openapi/operation.ts";
import { operatorBodyProblems, operatorOperation as operation } from "../operator-operation.ts";
import { dropBodySchema, parkBodySchema, redriveBodySchema } from "./action-body.ts";
import { actionViewSchema, dryRunViewSchema } from "./action-view.ts";
import { deadLetterSummaryViewSchema, deadLetterViewSchema } from "./dead-letter-view.ts";
import { filterParameterSchemas, listLimit, pageParameterSchemas } from "./dlq-query.ts";

const query = (name: string, schema: z.ZodType, description: string): Parameter => ({
  name,
  in: "query",
  schema,
  description,
});

const filterParameters: readonly Parameter[] = [
  query("code", filterParameterSchemas.code, "Only letters with this failure code."),
  query("model", filterParameterSchemas.model, "Only letters of this model."),
  query("tenant", filterParameterSchemas.tenant, "Only letters of this tenant."),
  query("since", filterParameterSchemas.since, "Only letters that last failed then or later (RFC 3339)."),
  query("state", filterParameterSchemas.state, "Only letters in this state."),
  query("fingerprint", filterParameterSchemas.fingerprint, "Only letters of this group."),
];
const pageParameters: readonly Parameter[] = [
  query(
    "limit",
    pageParameterSchemas.limit,
    `At most so many, up to ${listLimit.max}. Default ${listLimit.preset}.`,
  ),
  query("cursor", pageParameterSchemas.cursor, "`next_cursor` of the page before, with the same filters."),
];
const next_cursor = z.string().nullable().describe("null: there are no more.");

const groupSchema = z.object({
  fingerprint: z.string(),
  failure: failureSchema,
  model: z.string(),
  count: z.int(),
  states: z.record(deadLetterStateSchema, z.int()),
  first_failed_at: z.iso.datetime(),
  last_failed_at: z.iso.datetime(),
  sample: deadLetterSummaryViewSchema.describe("The letter that failed last."),
});

const actionAnswers: Operation["answers"] = {
  200: {
    description: "Done, or with `dry_run` what would be done.",
    schema: z.union([actionViewSchema, dryRunViewSchema]),
  },
  202: {
    description: "Accepted; it takes longer than a few seconds, or dlq-handler is away.",
    schema: actionViewSchema,
    headers: { Location: "`/dlq/actions/{id}`" },
  },
};
export const dlqOperations: readonly Operation[] = [
  operation("get", "/dlq", "listDeadLetters", "List dead letters, by their last failure, newest first", {
    description: "Jobs that failed for good, without their payloads. For operators and admins.",
    parameters: [...filterParameters, ...pageParameters],
    answers: {
      200: {
        description: "A page.",
        schema: z.object({ dead_letters: z.array(deadLetterSummaryViewSchema), next_cursor }),
      },
    },
    problems: ["forbidden", "invalid_query", "invalid_cursor"],
    curl: "curl -s 'http://127.0.0.1:8080/dlq?state=dead&limit=5'",
  }),
  operation(
    "get",
    "/dlq/groups",
    "listDeadLetterGroups",
    "See what fails, how often, and an example of each",
    {
      parameters: filterParameters,
      answers: {
        200: {
          description: "The largest group first.",
          schema: z.object({
            groups: z.array(groupSchema),
            examined: z.int(),
            complete: z.boolean().describe("false: only the newest `examined` letters were looked at."),
          }),
        },
      },
      problems: ["forbidden", "invalid_query"],
      curl: "curl -s 'http://127.0.0.1:8080/dlq/groups?state=dead'",
    },
  ),
  operation("get", "/dlq/{id}", "getDeadLetter", "See one dead letter with all its attempts", {
    description: "Admins also see the payload, and with it the prompt.",
    parameters: [{ name: "id", in: "path", description: "Id of the job.", schema: jobIdSchema }],
    answers: { 200: { description: "The letter.", schema: deadLetterViewSchema } },
    problems: ["forbidden", "invalid_query", "dead_letter_not_found"],
    curl: "curl -s http://127.0.0.1:8080/dlq/$ID",
  }),
  operation("post", "/dlq/redrive", "redriveDeadLetters", "Put dead letters' jobs back on their queues", {
    description:
      "Each job keeps its id and its history, and counts its attempts from zero; one that has aged out is made again from its letter. A `patch` with another model moves it to that model's queue.",
    body: {
      schema: redriveBodySchema,
      examples: {
        look: { filter: { code: "backend_reset" }, dry_run: true },
        slowly: { filter: { code: "backend_reset" }, rate_per_s: 2 },
        elsewhere: {
          filter: { code: "out_of_memory" },
          patch: { model: "llama3.2:3b", options: { num_ctx: 2048 } },
        },
      },
    },
    answers: actionAnswers,
    problems: [...operatorBodyProblems, "model_not_found", "no_workers"],
    curl: `curl -s -X POST http://127.0.0.1:8080/dlq/redrive -H 'content-type: application/json' -d '{"filter":{"code":"backend_reset"},"dry_run":true}'`,
  }),
  operation("post", "/dlq/park", "parkDeadLetters", "Keep dead letters for a person, out of the alert", {
    body: { schema: parkBodySchema, examples: { one: { filter: { code: "poison_job" } } } },
    answers: actionAnswers,
    problems: operatorBodyProblems,
    curl: `curl -s -X POST http://127.0.0.1:8080/dlq/park -H 'content-type: application/json' -d '{"filter":{"code":"poison_job"}}'`,
  }),
  operation("delete", "/dlq", "dropDeadLetters", "Give dead letters up, or erase them", {
    description:
      "Dropped letters are kept for the record until their retention ends, and can still be redriven by id. With `erase` they and their payloads are gone at once.",
    body: { schema: dropBodySchema, examples: { all: { filter: { code: "invalid_payload" } } } },
    answers: actionAnswers,
    problems: operatorBodyProblems,
    curl: `curl -s -X DELETE http://127.0.0.1:8080/dlq -H 'content-type: application/json' -d '{"filter":{"code":"invalid_payload"}}'`,
  }),
  operation("get", "/dlq/actions/{id}", "getDeadLetterAction", "See how far an action on dead letters is", {
    parameters: [
      { name: "id", in: "path", description: "`action_id` of the action.", schema: actionIdSchema },
    ],
    answers: { 200: { description: "The action.", schema: actionViewSchema } },
    problems: ["forbidden", "invalid_query", "action_not_found"],
  }),
  operation("get", "/dlq/audit", "listDeadLetterAudit", "See who did what to dead letters, newest first", {
    description: "Actions by hand and by the redrive policy, when they have ended. About the last 10,000.",
    parameters: pageParameters,
    answers: {
      200: { description: "A page.", schema: z.object({ entries: z.array(auditEntrySchema), next_cursor }) },
    },
    problems: ["forbidden", "invalid_query", "invalid_cursor"],
    curl: "curl -s http://127.0.0.1:8080/dlq/audit",
  }),
];
