import type {
  Failure,
  InferenceJob,
  InferenceResult,
  JobState,
  ResponseNote,
  chatJobSchema,
} from "@forebay/queue-contracts";
import type { z } from "zod";

type ChatJob = z.infer<typeof chatJobSchema>;

/** A job of the responses API, as it stands. */
export type ResponseJob = {
  readonly id: string;
  readonly state: JobState;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
  /** It was begun, however that went. */ readonly begun: boolean;
  readonly job: ChatJob & { readonly response: ResponseNote };
  readonly result: InferenceResult | undefined;
  readonly failure: Failure | undefined;
};

type AnyJob = Omit<ResponseJob, "job" | "begun"> & {
  readonly starts: readonly unknown[];
  readonly job: InferenceJob | undefined;
};

/** The job, if it is one of the responses API. */
export function asResponseJob(record: AnyJob): ResponseJob | undefined {
  const { job, starts, id, state, createdAt, finishedAt, result, failure } = record;
  if (job?.type !== "chat" || !job.response) return undefined;
  const { response } = job;
  return {
    id,
    state,
    createdAt,
    finishedAt,
    begun: starts.length > 0,
    job: { ...job, response },
    result,
    failure,
  };
}

const prefix = "resp_";

export const responseIdOf = (jobId: string): string => prefix + jobId;

/** The id of the response's job; undefined when the text cannot be a response's id. */
export function jobIdOfResponse(id: string): string | undefined {
  return id.startsWith(prefix) ? id.slice(prefix.length) : undefined;
}
