import { scheduleIdSchema } from "@forebay/queue-bullmq";
import { z } from "zod";
import type { Operation, Parameter } from "../../openapi/operation.ts";
import type { ProblemCode } from "../../http/problem-codes.ts";
import { jobViewSchema } from "../jobs/job-view-schema.ts";
import { createScheduleSchema, patchScheduleSchema } from "./schedule-body.ts";
import { scheduleViewSchema } from "./schedule-view.ts";

const idParameter: Parameter = {
  name: "id",
  in: "path",
  description: "`schedule_id` of the schedule.",
  schema: scheduleIdSchema,
};
const answer = { description: "The schedule.", schema: scheduleViewSchema };
const bodyProblems: ProblemCode[] = ["malformed_body", "invalid_body", "model_not_found", "forbidden"];
const byId: ProblemCode[] = ["invalid_query", "schedule_not_found"];

const operation = (
  method: Operation["method"],
  path: string,
  id: string,
  summary: string,
  rest: Pick<Operation, "answers" | "problems"> & Partial<Operation>,
): Operation => ({
  method,
  path,
  id,
  summary,
  tag: "schedules",
  ...(path.includes("{id}") && { parameters: [idParameter] }),
  ...rest,
});

export const scheduleOperations: readonly Operation[] = [
  operation("post", "/schedules", "createSchedule", "Run a job again and again", {
    body: {
      schema: createScheduleSchema,
      examples: {
        nightly: {
          name: "nightly-report",
          cron: "0 3 * * *",
          tz: "Europe/Brussels",
          job: { model: "llama3.2:3b", prompt: "Summarise the day.", lane: "batch" },
        },
        often: { name: "pulse", every_ms: 60_000, job: { model: "llama3.2:3b", prompt: "Still there?" } },
      },
    },
    answers: { 201: { ...answer, headers: { Location: "`/schedules/{id}`" } } },
    problems: ["invalid_query", ...bodyProblems],
  }),
  operation("get", "/schedules", "listSchedules", "List the tenant's schedules", {
    answers: {
      200: { description: "All of them.", schema: z.object({ schedules: z.array(scheduleViewSchema) }) },
    },
    problems: ["invalid_query"],
    curl: "curl -s http://127.0.0.1:8080/schedules",
  }),
  operation("get", "/schedules/{id}", "getSchedule", "See a schedule and its next runs", {
    answers: { 200: answer },
    problems: byId,
  }),
  operation("patch", "/schedules/{id}", "updateSchedule", "Change a schedule", {
    description: "What is given is changed; `job` is replaced as a whole.",
    body: { schema: patchScheduleSchema, examples: { slower: { every_ms: 3_600_000 } } },
    answers: { 200: answer },
    problems: [...byId, ...bodyProblems],
  }),
  operation("delete", "/schedules/{id}", "deleteSchedule", "End a schedule", {
    description: "Jobs it has made stay.",
    answers: { 204: { description: "Ended." } },
    problems: byId,
  }),
  operation("post", "/schedules/{id}/pause", "pauseSchedule", "Pause a schedule", {
    answers: { 200: answer },
    problems: byId,
  }),
  operation("post", "/schedules/{id}/resume", "resumeSchedule", "Resume a paused schedule", {
    answers: { 200: answer },
    problems: byId,
  }),
  operation("post", "/schedules/{id}/run", "runSchedule", "Run a schedule's job now", {
    description: "Also while paused; its rhythm goes on as it was.",
    answers: { 202: { description: "The job.", schema: jobViewSchema } },
    problems: [...byId, "too_many_open_jobs", "backlog_full", "storage_full"],
  }),
];
