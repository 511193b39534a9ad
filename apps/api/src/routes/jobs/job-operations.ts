import { jobIdSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import type { Operation, Parameter } from "../../openapi/operation.ts";
import { cancelBodySchema } from "./cancel-filter.ts";
import { dryRunSchema } from "./dry-run-schema.ts";
import { jobSummarySchema, jobViewSchema } from "./job-view-schema.ts";
import { waitSecondsMax } from "./parse-prefer.ts";
import { listLimit, listParameterSchemas } from "./list-query.ts";
import { submitBodySchemas } from "./submit-body.ts";

const idParameter: Parameter = {
  name: "id",
  in: "path",
  description: "`job_id` of the job.",
  schema: jobIdSchema,
};
const accepted = { description: "Accepted.", schema: jobViewSchema };

const submit: Operation = {
  method: "post",
  path: "/jobs",
  id: "submitJob",
  tag: "jobs",
  summary: "Put a job on the queue",
  description:
    "The type follows from the body: `prompt` makes a `generate` job, `messages` a `chat` job, `input` an `embed` job. A 202 means the job is stored and will run. Fields not listed are refused by name; `webhook` is known and not supported yet. With `Prefer: wait=N` the answer waits up to N seconds (at most 60) for the job to end: 200 with the finished job, otherwise 202.",
  parameters: [
    {
      name: "dry_run",
      in: "query",
      description:
        "`true`: nothing is put. The answer (200) tells what the job is expected to cost, where it would stand and when it would start, what the tenant's limits would leave, and why it would be refused. A body that is wrong is refused as always.",
      schema: z.enum(["true", "false"]),
    },
    {
      name: "Idempotency-Key",
      in: "header",
      description:
        "1 to 255 printable characters, bare or quoted, remembered for 24 h within the tenant. The same key with the same body answers with the same job and `Idempotency-Replayed: true`, however often and on whatever replica.",
      schema: z.string().min(1).max(257),
    },
    {
      name: "Prefer",
      in: "header",
      description:
        "`wait=N`: answer when the job has ended, after N seconds (at most 60) at the latest. `respond-async`: at once, which is also what happens without it. What was honoured comes back as `Preference-Applied`.",
      schema: z.string(),
    },
    {
      name: "Forebay-On-Disconnect",
      in: "header",
      description:
        "What becomes of the job when the client goes while it waits: `detach` (default), it goes on; `cancel`, it is cancelled.",
      schema: z.enum(["detach", "cancel"]),
    },
  ],
  body: {
    schema: z.union([submitBodySchemas.generate, submitBodySchemas.chat, submitBodySchemas.embed]),
    examples: {
      generate: { model: "llama3.2:3b", prompt: "Why is the sky blue?", options: { num_predict: 64 } },
      chat: {
        model: "llama3.2:3b",
        messages: [{ role: "user", content: "Say hello." }],
        lane: "interactive",
      },
      embed: { model: "nomic-embed-text", input: ["first text", "second text"], metadata: { batch: "7" } },
    },
  },
  answers: {
    200: {
      description: "With `Prefer: wait`: the job has ended. With `dry_run`: what would have happened.",
      schema: z.union([jobViewSchema, dryRunSchema]),
    },
    202: {
      ...accepted,
      headers: {
        Location: "`/jobs/{id}`",
        "Idempotency-Replayed": "`true`: the key had been used before.",
        "RateLimit-Policy": "The tenant's limits over time, if it has any: requests, tokens, tokens-day.",
        RateLimit: "What is left of them; also as `x-ratelimit-*`.",
      },
    },
  },
  problems: [
    "malformed_body",
    "invalid_query",
    "invalid_idempotency_key",
    "forbidden",
    "job_gone",
    "body_too_large",
    "unsupported_media_type",
    "invalid_body",
    "nested_too_deep",
    "model_not_found",
    "too_many_queues",
    "idempotency_mismatch",
    "rate_limited",
    "too_many_open_jobs",
    "backlog_full",
    "deadline_unreachable",
    "storage_full",
    "no_workers",
  ],
  curl: `curl -s http://127.0.0.1:8080/jobs -H 'content-type: application/json' -d '{"prompt":"Why is the sky blue?"}'`,
};

const get: Operation = {
  method: "get",
  path: "/jobs/{id}",
  id: "getJob",
  tag: "jobs",
  summary: "See where a job is, and its result",
  description:
    "A job that failed answers 200 with its `state` and `error`: the status of the request is not the status of the job. Operators see every tenant's jobs, without their results; admins with them.",
  parameters: [
    idParameter,
    {
      name: "If-None-Match",
      in: "header",
      description: "The ETag of an earlier answer: 304 while nothing has changed.",
      schema: z.string(),
    },
    {
      name: "wait",
      in: "query",
      description: "Answer when the state is another one, after so many seconds (at most 60) at the latest.",
      schema: z.int().min(0).max(waitSecondsMax),
    },
  ],
  answers: {
    200: { description: "The job.", schema: jobViewSchema, headers: { ETag: "Changes with the view." } },
    304: { description: "Unchanged." },
  },
  problems: ["invalid_query", "job_not_found"],
  curl: "curl -s http://127.0.0.1:8080/jobs/$ID",
};

const events: Operation = {
  method: "get",
  path: "/jobs/{id}/events",
  id: "followJob",
  tag: "jobs",
  summary: "Follow a job: its states, its tokens as they come, its end",
  description:
    "Server-sent events, numbered from 1 without gaps; the `data` of each is JSON. `state` (`state`, `at`), `token` (`text`, `thinking`, `tool_calls`: what was added), `progress` (about every second while an answer is made: `tokens` so far, also with `stream: false`), `restart` (a new attempt begins: drop the tokens so far), and last, once, `completed`, `failed`, `cancelled`, `expired` or `timed_out` with the job as `GET /jobs/{id}` shows it; then the stream ends. A reader that comes back with `Last-Event-ID` gets the events after that one and then live ones, from any replica, however long ago the job ended. While a job waits, `state` events without a number tell where it stands by now (`queue_position`, `eta_s`, `eta_range_s`), with a heartbeat and only when that has changed noticeably; they belong to no log and are not replayed. An `error` event, without a number, says that the stream breaks off (`reader_too_slow`, `stream_interrupted`, `offset_lost`). Another tenant's jobs are for admins alone.",
  parameters: [
    idParameter,
    {
      name: "Last-Event-ID",
      in: "header",
      description: "Number of the last event seen; browsers send it by themselves. Wins over `after`.",
      schema: z.int().min(0),
    },
    {
      name: "after",
      in: "query",
      description: "The same, for clients that cannot set a header.",
      schema: z.int().min(0),
    },
  ],
  answers: {
    200: { description: "The stream, `text/event-stream`." },
    204: { description: "Every event, the last one included, has been seen: do not come back." },
  },
  problems: ["invalid_query", "invalid_position", "forbidden", "job_not_found", "offset_lost"],
  curl: "curl -sN http://127.0.0.1:8080/jobs/$ID/events",
};

const list: Operation = {
  method: "get",
  path: "/jobs",
  id: "listJobs",
  tag: "jobs",
  summary: "List the tenant's jobs, newest first",
  description:
    "Without results. A page may hold fewer jobs than `limit` and still have a next one: at most 2,000 are looked at per request.",
  parameters: [
    ...(
      [
        ["state", "Only jobs in this state."],
        ["model", "Only jobs of this model."],
        ["lane", "Only jobs of this lane."],
        ["created_after", "Only jobs made after this time (RFC 3339)."],
        ["limit", `At most so many, up to ${listLimit.max}. Default ${listLimit.preset}.`],
        ["cursor", "`next_cursor` of the page before, with the same filters."],
      ] as const
    ).map(
      ([name, description]): Parameter => ({
        name,
        in: "query",
        description,
        schema: listParameterSchemas[name],
      }),
    ),
    {
      name: "metadata[key]",
      in: "query",
      description:
        "Only jobs with this value under that key of their metadata. May be given for several keys.",
      schema: z.string(),
    },
  ],
  answers: {
    200: {
      description: "A page.",
      schema: z.object({
        jobs: z.array(jobSummarySchema),
        next_cursor: z.string().nullable().describe("null: there are no more."),
      }),
    },
  },
  problems: ["invalid_query", "invalid_cursor"],
  curl: "curl -s 'http://127.0.0.1:8080/jobs?state=completed&limit=5'",
};

const cancel: Operation = {
  method: "post",
  path: "/jobs/{id}/cancel",
  id: "cancelJob",
  tag: "jobs",
  summary: "Cancel a job",
  description:
    "A waiting or delayed job is `cancelled` at once. A running one is stopped by its worker, mostly within a second, and the answer may still show it as `active`; if it finishes first, its result stands.",
  parameters: [idParameter],
  answers: { 202: { ...accepted, description: "Cancelled, or about to be." } },
  problems: ["invalid_query", "job_not_found", "already_finished"],
  curl: "curl -s -X POST http://127.0.0.1:8080/jobs/$ID/cancel",
};

const cancelMany: Operation = {
  method: "post",
  path: "/jobs/cancel",
  id: "cancelJobs",
  tag: "jobs",
  summary: "Cancel all jobs that match a filter",
  description:
    "Jobs that wait or are delayed are `cancelled` when this answers; running ones are stopped by their workers soon after. Operators and admins may name any tenant, or none for all of them; clients cancel their own tenant's jobs. A filter that names nothing must be confirmed with `all`. With `more`, repeat the request.",
  body: {
    schema: cancelBodySchema,
    examples: {
      model: { filter: { model: "llama3.2:3b", state: "waiting" }, dry_run: true },
      batch: { filter: { lane: "batch", metadata: { batch: "7" } }, limit: 10_000 },
    },
  },
  answers: {
    200: {
      description: "Done, or with `dry_run` counted.",
      schema: z.object({
        matched: z.int().describe("Jobs that matched, at most `limit`."),
        cancelled: z.int().describe("Ended by this."),
        stopping: z.int().describe("Running; about to end."),
        more: z.boolean().describe("There are more than `limit`."),
      }),
    },
  },
  problems: [
    "malformed_body",
    "invalid_query",
    "forbidden",
    "body_too_large",
    "unsupported_media_type",
    "invalid_body",
    "nested_too_deep",
  ],
  curl: `curl -s http://127.0.0.1:8080/jobs/cancel -H 'content-type: application/json' -d '{"filter":{"lane":"batch"},"dry_run":true}'`,
};

const retry: Operation = {
  method: "post",
  path: "/jobs/{id}/retry",
  id: "retryJob",
  tag: "jobs",
  summary: "Run a job again that ended without a result",
  description: "Same id, attempts counted from zero, its timeline kept.",
  parameters: [idParameter],
  answers: { 202: { ...accepted, description: "Waiting again." } },
  problems: [
    "invalid_query",
    "job_not_found",
    "not_retryable",
    "too_many_open_jobs",
    "backlog_full",
    "storage_full",
  ],
  curl: "curl -s -X POST http://127.0.0.1:8080/jobs/$ID/retry",
};

const erase: Operation = {
  method: "delete",
  path: "/jobs/{id}",
  id: "deleteJob",
  tag: "jobs",
  summary: "Erase a job",
  description: "Payload, result and history are gone, and so is its dead letter, if it had one.",
  parameters: [idParameter],
  answers: { 204: { description: "Erased." } },
  problems: ["invalid_query", "job_not_found", "job_active"],
  curl: "curl -s -X DELETE http://127.0.0.1:8080/jobs/$ID",
};

export const jobOperations: readonly Operation[] = [
  submit,
  get,
  events,
  list,
  cancel,
  cancelMany,
  retry,
  erase,
];
