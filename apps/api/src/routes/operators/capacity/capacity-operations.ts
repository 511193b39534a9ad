import { z } from "zod";
import type { Operation } from "../../../openapi/operation.ts";
import { operatorBodyProblems, operatorOperation as operation } from "../operator-operation.ts";
import { capacityViewSchema } from "./capacity-view.ts";
import { pauseBodySchema } from "./pause-model.ts";

const drained = (description: string): Operation["answers"] => ({
  200: { description, schema: z.object({ backend: z.string(), draining: z.boolean() }) },
});
const paused = (description: string): Operation["answers"] => ({
  200: { description, schema: z.object({ model: z.string(), paused: z.boolean() }) },
});
const nameParameter = {
  name: "name",
  in: "path",
  description: "Name of the backend, as `GET /capacity` lists it.",
  schema: z.string(),
} as const;
const pauseBody: Operation["body"] = {
  schema: pauseBodySchema,
  examples: { one: { model: "llama3.2:3b" } },
};
export const capacityOperations: readonly Operation[] = [
  operation("get", "/capacity", "getCapacity", "See backends, slots, loaded models and what waits for them", {
    description: "As workers told within the last seconds. For operators and admins.",
    answers: { 200: { description: "Everything there is.", schema: capacityViewSchema } },
    problems: ["forbidden", "invalid_query"],
    curl: "curl -s http://127.0.0.1:8080/capacity",
  }),
  operation("post", "/capacity/backends/{name}/drain", "drainBackend", "Give a backend nothing new", {
    description:
      "What runs on it is finished; its jobs go to other backends, or wait. Holds until undrained, over restarts.",
    parameters: [nameParameter],
    answers: drained("Noted; workers heed it within their next look, mostly at once."),
    problems: ["forbidden", "invalid_query", "backend_not_found"],
  }),
  operation("post", "/capacity/backends/{name}/undrain", "undrainBackend", "Use a drained backend again", {
    parameters: [nameParameter],
    answers: drained("Noted, also for a backend that no worker feeds now."),
    problems: ["forbidden", "invalid_query", "backend_not_found"],
  }),
  operation("post", "/capacity/models/pause", "pauseModel", "Let a model's jobs wait", {
    description: "What runs is finished. New jobs are accepted, and wait until the model is resumed.",
    body: pauseBody,
    answers: paused("Noted; workers heed it within their next look, mostly at once."),
    problems: [...operatorBodyProblems, "model_not_found"],
  }),
  operation("post", "/capacity/models/resume", "resumeModel", "Run a paused model's jobs again", {
    body: pauseBody,
    answers: paused("Noted."),
    problems: operatorBodyProblems,
  }),
];
