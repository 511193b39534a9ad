import type { ScheduleStore } from "@forebay/queue-bullmq";
import type { JobDeps } from "../jobs/job-deps.ts";

export type ScheduleDeps = JobDeps & { readonly schedules: ScheduleStore };
