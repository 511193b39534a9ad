import { once } from "node:events";
import { connect } from "node:net";
import { StartError } from "@forebay/service-runtime";

const connectTimeoutMs = 5_000;

/**
 * Tries the host and port of a plain redis:// or rediss:// URL; other forms are left to the services.
 *
 * @throws {StartError} if nobody listens there
 */
export async function checkRedisUrl(redisUrl: string): Promise<void> {
  const url = URL.canParse(redisUrl) ? new URL(redisUrl) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol)) return;
  const [host, port] = [url.hostname.replaceAll(/[[\]]/g, ""), Number(url.port || 6379)];
  const socket = connect(port, host);
  socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(
      "redis_unreachable",
      `No Redis at ${host}:${port}, where REDIS_URL points (${why}): start it, or unset REDIS_URL to get one.`,
    );
  } finally {
    socket.destroy();
  }
}
