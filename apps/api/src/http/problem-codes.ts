type ProblemDoc = { readonly status: number; readonly title: string };

/** Every way a request can be refused. `type` of an answer is `urn:forebay:problem:<code>`. */
export const problemCodes = {
  malformed_body: { status: 400, title: "The body is not JSON in UTF-8" },
  malformed_request: { status: 400, title: "The request is malformed" },
  invalid_query: { status: 400, title: "A query parameter is wrong" },
  invalid_position: { status: 400, title: "The position is not the id of an event" },
  invalid_cursor: { status: 400, title: "The cursor is not one this list gave out" },
  invalid_idempotency_key: { status: 400, title: "The Idempotency-Key is not usable" },
  unauthorized: { status: 401, title: "A valid API key is needed" },
  forbidden: { status: 403, title: "This key may not do that" },
  not_found: { status: 404, title: "There is nothing at this address" },
  job_not_found: { status: 404, title: "There is no such job" },
  schedule_not_found: { status: 404, title: "There is no such schedule" },
  method_not_allowed: { status: 405, title: "This address does not take that method" },
  already_finished: { status: 409, title: "The job has finished" },
  not_retryable: { status: 409, title: "The job is not in a state it could be retried from" },
  job_active: { status: 409, title: "The job is running" },
  job_gone: { status: 410, title: "The job of this Idempotency-Key is gone" },
  offset_lost: { status: 410, title: "The events after this id are not kept" },
  body_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The body must be application/json" },
  invalid_body: { status: 422, title: "The body cannot be accepted" },
  nested_too_deep: { status: 422, title: "The body is nested too deeply" },
  model_not_found: { status: 422, title: "No backend has this model" },
  too_many_queues: { status: 422, title: "Too many combinations of runner options" },
  idempotency_mismatch: { status: 422, title: "The Idempotency-Key was used for another request" },
  too_many_open_jobs: { status: 429, title: "The tenant has too many open jobs" },
  backlog_full: { status: 503, title: "Too many jobs are waiting" },
  storage_full: { status: 503, title: "The queue's memory is nearly full" },
  no_workers: { status: 503, title: "No worker serves any model" },
  reader_too_slow: { status: 503, title: "The reader fell too far behind" },
  stream_interrupted: { status: 503, title: "The stream broke off" },
  queue_unavailable: { status: 503, title: "The queue cannot be reached" },
  internal_error: { status: 500, title: "A fault in Forebay" },
} as const satisfies Record<string, ProblemDoc>;

export type ProblemCode = keyof typeof problemCodes;
