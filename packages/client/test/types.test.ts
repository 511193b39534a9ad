import type * as contracts from "@forebay/queue-contracts";
import { expectTypeOf, test } from "vitest";
import type {
  ChatJob,
  ChatResult,
  EmbedJob,
  EmbedResult,
  FailureCode,
  GenerateJob,
  GenerateResult,
  JobEvent,
  JobSettings,
  JobState,
  JsonValue,
  Lane,
  ModelOptions,
  Usage,
} from "../src/index.ts";

// Nothing runs here: `pnpm run typecheck` is what fails when these types and the contracts part.

type Shown<T extends contracts.InferenceResult["type"]> = Omit<
  Extract<contracts.InferenceResult, { type: T }>,
  "v" | "type" | "backend" | "usage"
>;
type Request<T extends contracts.InferenceJobType> = Extract<contracts.InferenceJob, { type: T }>["request"];
type Own<T> = Omit<T, Exclude<keyof JobSettings, "options" | "keep_alive"> | "type">;

test("lists of words are the contracts' lists", () => {
  expectTypeOf<Lane>().toEqualTypeOf<contracts.Lane>();
  expectTypeOf<JobState>().toEqualTypeOf<contracts.JobState>();
  expectTypeOf<FailureCode>().toEqualTypeOf<contracts.FailureCode>();
  expectTypeOf<JsonValue>().toEqualTypeOf<contracts.JsonValue>();
});

test("what a worker writes can be read", () => {
  expectTypeOf<contracts.Usage>().toExtend<Usage>();
  expectTypeOf<Shown<"generate">>().toExtend<GenerateResult>();
  expectTypeOf<Shown<"chat">>().toExtend<ChatResult>();
  expectTypeOf<Shown<"embed">>().toExtend<EmbedResult>();
  type Passing = Extract<contracts.StreamEvent, { event: "state" | "progress" | "token" | "restart" }>;
  expectTypeOf<Passing>().toExtend<JobEvent>();
  expectTypeOf<contracts.StreamEvent["event"]>().toEqualTypeOf<JobEvent["event"]>();
});

test("what can be submitted is what a worker takes", () => {
  expectTypeOf<ModelOptions>().toExtend<contracts.ModelOptions>();
  expectTypeOf<Own<GenerateJob>>().toExtend<Request<"generate">>();
  expectTypeOf<keyof Request<"generate">>().toExtend<keyof GenerateJob>();
  expectTypeOf<Own<EmbedJob>>().toExtend<Request<"embed">>();
  expectTypeOf<keyof Request<"embed">>().toExtend<keyof EmbedJob>();
  // `content` may be left out: the server puts "" there.
  expectTypeOf<Omit<Own<ChatJob>, "messages">>().toExtend<Omit<Request<"chat">, "messages">>();
  expectTypeOf<keyof Request<"chat">>().toExtend<keyof ChatJob>();
});
