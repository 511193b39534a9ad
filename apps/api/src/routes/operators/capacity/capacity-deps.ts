import type { JobDeps } from "../../jobs/job-deps.ts";

export type CapacityDeps = Pick<JobDeps, "space" | "directory" | "forecasts" | "body">;
