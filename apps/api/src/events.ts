import type { BatchHead, FileHead, RoomAnswer } from "@forebay/queue-bullmq";
import type { InferenceJob } from "@forebay/queue-contracts";
import type { Logger, Metrics } from "@forebay/service-runtime";
import type { Caller } from "./auth/caller.ts";
import type { Problem } from "./http/problem.ts";

/** What happens in this app that somebody may want to know: one line in the log and one metric each. */
export type ApiEvents = {
  jobAccepted(id: string, job: InferenceJob, caller: Caller): void;
  /** What became of somebody who wanted to join a line that is full, or of which room is promised. */
  roomAsked(answer: RoomAnswer["kind"]): void;
  jobCancelled(id: string, caller: Caller): void;
  /** The audit's line of a cancellation by filter. */
  jobsCancelled(filter: object, counts: object, caller: Caller): void;
  jobRetried(id: string, caller: Caller): void;
  jobDeleted(id: string, caller: Caller): void;
  deadLettersActedOn(id: string, action: string, caller: Caller): void;
  scheduleChanged(id: string, change: "created" | "changed" | "deleted", caller: Caller): void;
  fileStored(file: FileHead, bytes: number, caller: Caller): void;
  fileDeleted(id: string, caller: Caller): void;
  blobStoreFailed(error: unknown): void;
  batchAccepted(batch: BatchHead, caller: Caller): void;
  batchCancelled(id: string, caller: Caller): void;
  requestRefused(problem: Problem, request: ServedRequest): void;
  requestFailed(error: unknown, request: ServedRequest): void;
  requestServed(request: ServedRequest, status: number, durationS: number): void;
};
export type ServedRequest = {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern, never the path: ids and whatever strangers try stay out of metrics. */
  readonly route: string;
};

const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

export function createApiEvents(logger: Logger, metrics: Metrics): ApiEvents {
  const requests = metrics.counter("forebay_http_requests_total", "HTTP requests answered.", [
    "route",
    "method",
    "status",
  ]);
  const durations = metrics.histogram(
    "forebay_http_request_duration_seconds",
    "From the first byte of a request to its answer.",
    ["route", "method"],
    durationBuckets,
  );
  const accepted = metrics.counter("forebay_jobs_accepted_total", "Jobs put on a queue.", [
    "type",
    "model",
    "lane",
  ]);
  const refused = metrics.counter("forebay_jobs_refused_total", "POST /jobs answered with an error.", [
    "code",
  ]);
  const rooms = metrics.counter(
    "forebay_room_answers_total",
    "Jobs that met a full line, or one of which room is promised: told when to come, sent away again, unpromised; or let in, with a promise (kept) or without (room).",
    ["answer"],
  );
  const fileBytes = metrics.counter("forebay_file_bytes_total", "Bytes of files that were uploaded.", []);
  const batches = metrics.counter("forebay_batches_accepted_total", "Batches recorded.", ["endpoint"]);
  const who = (caller: Caller) => ({ tenant: caller.tenant, key: caller.keyId });

  return {
    jobAccepted(id, { type, model, lane }, caller) {
      accepted.inc({ type, model, lane });
      logger.info({ job_id: id, type, model, lane, ...who(caller) }, "job accepted");
    },
    roomAsked: (answer) => rooms.inc({ answer }),
    jobCancelled: (id, caller) => logger.info({ job_id: id, ...who(caller) }, "job cancelled"),
    jobsCancelled: (filter, counts, caller) =>
      logger.warn({ filter, ...counts, ...who(caller), role: caller.role }, "jobs cancelled by filter"),
    jobRetried: (id, caller) => logger.info({ job_id: id, ...who(caller) }, "job put back by hand"),
    jobDeleted: (id, caller) => logger.info({ job_id: id, ...who(caller) }, "job deleted"),
    deadLettersActedOn: (id, action, caller) =>
      logger.info({ action_id: id, action, ...who(caller) }, "action on dead letters asked for"),
    scheduleChanged: (id, change, caller) =>
      logger.info({ schedule: id, change, ...who(caller) }, "schedule changed"),
    fileStored({ id, purpose }, bytes, caller) {
      fileBytes.inc(bytes);
      logger.info({ file: id, purpose, bytes, ...who(caller) }, "file stored");
    },
    fileDeleted: (id, caller) => logger.info({ file: id, ...who(caller) }, "file deleted"),
    blobStoreFailed: (error) => logger.error({ err: error }, "a file could not be stored"),
    batchAccepted({ id, endpoint, retry_of }, caller) {
      batches.inc({ endpoint });
      logger.info({ batch: id, endpoint, retry_of, ...who(caller) }, "batch accepted");
    },
    batchCancelled: (id, caller) => logger.info({ batch: id, ...who(caller) }, "batch cancelled"),
    requestRefused(problem, request) {
      if (request.method === "POST" && request.route === "/jobs") refused.inc({ code: problem.code });
      const fields = { code: problem.code, request_id: request.requestId, route: request.route };
      logger.debug({ ...fields, err: problem.cause }, "request refused");
    },
    requestFailed(error, { requestId, method, route }) {
      if (method === "POST" && route === "/jobs") refused.inc({ code: "internal_error" });
      logger.error({ err: error, request_id: requestId, method, route }, "request failed");
    },
    requestServed({ requestId, method, route }, status, durationS) {
      requests.inc({ route, method, status });
      durations.observe({ route, method }, durationS);
      logger.debug({ request_id: requestId, method, route, status, ms: durationS * 1_000 }, "request served");
    },
  };
}
