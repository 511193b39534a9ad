import type { QueueSpace } from "../queues/queue-space.ts";

/** Where a file is in Redis. */
export const fileKey = (space: QueueSpace, id: string): string => space.key("file", id);
export const filePartsKey = (space: QueueSpace, id: string): string => space.key("file", id, "parts");
/** A tenant's files by when they were made, in milliseconds. */
export const tenantFilesKey = (space: QueueSpace, tenant: string): string => space.key("files", tenant);
/** All files by when they expire, in seconds. */
export const expiringFilesKey = (space: QueueSpace): string => space.key("files-expiring");
