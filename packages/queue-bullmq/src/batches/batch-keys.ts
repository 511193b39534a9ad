import type { QueueSpace } from "../queues/queue-space.ts";

/** Where a batch is in Redis. */
export const batchKey = (space: QueueSpace, id: string): string => space.key("batch", id);
/** Bits, one for each line: its result is in the output or the error file. */
export const recordedLinesKey = (space: QueueSpace, id: string): string => space.key("batch", id, "recorded");
/** Lines that were taken and are not written yet: index → what is needed to go on with it. */
export const takenLinesKey = (space: QueueSpace, id: string): string => space.key("batch", id, "lines");
/** A tenant's batches by when they were made, in milliseconds. */
export const tenantBatchesKey = (space: QueueSpace, tenant: string): string => space.key("batches", tenant);
/** Batches that are not over, by when they were made. */
export const openBatchesKey = (space: QueueSpace): string => space.key("batches-open");
/** Batches that are over, by when their record is erased; seconds. */
export const endedBatchesKey = (space: QueueSpace): string => space.key("batches-ended");
/** Published with a batch's id when somebody wants something of it: a hint. */
export const batchChannel = (space: QueueSpace): string => space.key("batches-changed");
