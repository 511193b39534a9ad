/** What ioredis says when a command did not reach Redis, or its answer did not come back in time. */
const connectionMessages = [
  "Command timed out",
  "Connection is closed",
  "Stream isn't writeable",
  "Reached the max retries per request limit",
];

/** Redis's own words for being there and not able to take the command now. */
const busyReplies =
  /^(LOADING|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|BUSY|NOAUTH|WRONGPASS) /;

const connectionCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** Whether an error means that Redis is away, frozen or full, and not that the command was wrong. */
export function isRedisUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && connectionCodes.has(String(error.code))) return true;
  if (connectionMessages.some((message) => error.message.startsWith(message))) return true;
  return busyReplies.test(error.message) || (error.cause !== undefined && isRedisUnavailable(error.cause));
}
