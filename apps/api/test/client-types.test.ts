import type * as client from "@forebay/client";
import { expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { JobSummary, JobView } from "../src/routes/jobs/job-view-schema.ts";
import type { CapacityView } from "../src/routes/operators/capacity/capacity-view.ts";
import type { submitBodySchemas } from "../src/routes/jobs/submit-body.ts";

// Nothing runs here: `pnpm run typecheck` is what fails when the API and its client part.

type Body<T extends keyof typeof submitBodySchemas> = z.input<(typeof submitBodySchemas)[T]>;

test("the client's types take every answer", () => {
  expectTypeOf<JobView>().toExtend<client.JobView>();
  expectTypeOf<JobSummary>().toExtend<client.JobSummary>();
  expectTypeOf<CapacityView>().toEqualTypeOf<client.Capacity>();
  expectTypeOf<keyof JobView>().toEqualTypeOf<keyof client.JobView>();
});

test("the API takes whatever the client's types allow, and the client knows every field", () => {
  expectTypeOf<client.GenerateJob>().toExtend<Body<"generate">>();
  expectTypeOf<client.ChatJob>().toExtend<Body<"chat">>();
  expectTypeOf<client.EmbedJob>().toExtend<Body<"embed">>();
  expectTypeOf<keyof Body<"generate">>().toEqualTypeOf<keyof client.GenerateJob>();
  expectTypeOf<keyof Body<"chat">>().toEqualTypeOf<keyof client.ChatJob>();
  expectTypeOf<keyof Body<"embed">>().toEqualTypeOf<keyof client.EmbedJob>();
});
