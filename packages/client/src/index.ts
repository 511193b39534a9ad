export { answerText } from "./answer-text.ts";
export type { BackendCapacity, Capacity, ModelCapacity } from "./capacity.ts";
export { type ClientOptions, createClient, type ForebayClient } from "./create-client.ts";
export {
  ConnectionError,
  type FieldError,
  ForebayError,
  JobFailedError,
  OffsetLostError,
} from "./errors.ts";
export { type EndEvent, isEnd, type JobEvent } from "./job-event.ts";
export type { ListedModel } from "./list-models.ts";
export {
  type ChatResult,
  type EmbedResult,
  type FailureCode,
  type FinalState,
  type GenerateResult,
  isFinalState,
  type JobError,
  type JobResult,
  type JobState,
  type JobSummary,
  type JobView,
  type JsonValue,
  type Lane,
  type TimelineEntry,
  type Usage,
} from "./job-view.ts";
export type { JobPage, ListQuery } from "./list-jobs.ts";
export type {
  ChatJob,
  ChatMessage,
  EmbedJob,
  GenerateJob,
  JobSettings,
  ModelOptions,
  NewJob,
} from "./new-job.ts";
export type { CallOptions, Retry } from "./request.ts";
export type { StreamOptions } from "./stream-events.ts";
export type { TextPiece } from "./stream-text.ts";
export type { SubmitOptions } from "./submit-job.ts";
export type { WaitOptions } from "./wait-for-job.ts";
export { createTokenMeter, type TokenMeter } from "./token-meter.ts";
