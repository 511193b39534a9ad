import type { JobState, JobSummary, Lane } from "./job-view.ts";
import { type CallOptions, requestRepeatedly, type Server } from "./request.ts";

export type ListQuery = {
  state?: JobState | undefined;
  model?: string | undefined;
  lane?: Lane | undefined;
  /** RFC 3339. */
  createdAfter?: string | undefined;
  /** Only jobs with all of these pairs. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** 1 to 100. Default 20. */
  limit?: number | undefined;
  /** `next_cursor` of the page before, with the same filters. */
  cursor?: string | undefined;
};

/** Newest first. A page may hold fewer jobs than asked for and still have a next one. */
export type JobPage = { jobs: JobSummary[]; next_cursor: string | null };

export async function listJobs(server: Server, query: ListQuery, options: CallOptions): Promise<JobPage> {
  const { metadata = {}, createdAfter, ...plain } = query;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...plain, created_after: createdAfter })) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  for (const [key, value] of Object.entries(metadata)) parameters.set(`metadata[${key}]`, value);
  const text = parameters.toString();
  const path = text === "" ? "/jobs" : `/jobs?${text}`;
  return (await requestRepeatedly(server, { method: "GET", path }, options)) as JobPage;
}
