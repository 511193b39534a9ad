import type { JobDeps } from "../../jobs/job-deps.ts";

export type DlqDeps = Pick<JobDeps, "space" | "models" | "jobs" | "body" | "events">;
