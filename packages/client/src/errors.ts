import type { FailureCode, JobState, JobView } from "./job-view.ts";

/** What is wrong with which field of the body, or parameter of the query. */
export type FieldError = { path: string; message: string };

type ForebayErrorDetails = {
  status: number;
  code: string;
  errors?: readonly FieldError[] | undefined;
  retryAfterS?: number | undefined;
  requestId?: string | undefined;
  jobId?: string | undefined;
};

/** The server refused (RFC 9457), or could not be asked: then it is a ConnectionError. */
export class ForebayError extends Error {
  override readonly name: string = "ForebayError";
  /** HTTP status; 0: there was no answer. */
  readonly status: number;
  /** Stable; switch over this. What each means is listed at `/docs#problems` of the server. */
  readonly code: string;
  /** For a person. */
  readonly detail: string;
  readonly errors: readonly FieldError[];
  /** Seconds after which the server asks to come back. */
  readonly retryAfterS: number | undefined;
  /** By which the operator finds the request in the log. */
  readonly requestId: string | undefined;
  /** The job it is about, where the server named one. */
  readonly jobId: string | undefined;
  constructor(detail: string, details: ForebayErrorDetails, options?: ErrorOptions) {
    super(detail, options);
    this.detail = detail;
    this.status = details.status;
    this.code = details.code;
    this.errors = details.errors ?? [];
    this.retryAfterS = details.retryAfterS;
    this.requestId = details.requestId;
    this.jobId = details.jobId;
  }
}

/** The server could not be reached, or the connection broke. Whether it did what was asked is not known. */
export class ConnectionError extends ForebayError {
  override readonly name = "ConnectionError";
  constructor(detail: string, options?: ErrorOptions) {
    super(detail, { status: 0, code: "connection_failed" }, options);
  }
}

/** The events after this position are not kept any more: begin again without one, or read the job. */
export class OffsetLostError extends ForebayError {
  override readonly name = "OffsetLostError";
  constructor(detail: string, details: Omit<ForebayErrorDetails, "code">) {
    super(detail, { ...details, code: "offset_lost" });
  }
}

/** The job ended without a result. */
export class JobFailedError extends Error {
  override readonly name = "JobFailedError";
  readonly code: FailureCode;
  readonly state: JobState;
  readonly job: JobView;
  constructor(job: JobView) {
    const { code, message } = job.error ?? { code: "internal_error", message: "no reason was given" };
    super(`The job ended as ${job.state}: ${message} (${code})`);
    this.job = job;
    this.state = job.state;
    this.code = code;
  }
}
