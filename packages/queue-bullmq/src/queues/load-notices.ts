import { z } from "zod";
import { parseJson } from "../redis/parse-json.ts";
import { closeRedis } from "../redis/open-redis.ts";
import type { QueueSpace } from "./queue-space.ts";

/** A worker has a host load a model, or is done with it. */
const loadNoticeSchema = z.object({
  worker: z.string(),
  backend: z.string(),
  affinity: z.string(),
  /** Slots it will have there. */ slots: z.number(),
  /** false: it is loaded, or could not be. */ loading: z.boolean(),
});
export type LoadNotice = z.infer<typeof loadNoticeSchema>;

const channel = (space: QueueSpace): string => space.key("loads");

/** Tells the other workers, so that no two of them load one model for one job. */
export async function publishLoad(space: QueueSpace, notice: LoadNotice): Promise<void> {
  await space.client.publish(channel(space), JSON.stringify(notice));
}

/** Calls `onLoad` for every load another worker tells of. Only a hint: what is in memory is in the registry. */
export async function watchLoads(
  space: QueueSpace,
  onLoad: (notice: LoadNotice) => void,
): Promise<AsyncDisposable> {
  const subscriber = space.client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
  subscriber.on("error", () => undefined);
  subscriber.on("message", (_channel: string, message: string) => {
    const { data } = loadNoticeSchema.safeParse(parseJson(message));
    if (data) onLoad(data);
  });
  await subscriber.subscribe(channel(space));
  return { [Symbol.asyncDispose]: () => closeRedis(subscriber) };
}
