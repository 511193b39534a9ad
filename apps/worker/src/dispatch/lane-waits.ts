import type { QueueHead, QueueSpace } from "@forebay/queue-bullmq";
import { type Lane, laneSchema } from "@forebay/queue-contracts";
import { z } from "zod";

const payloadSchema = z.object({ lane: laneSchema });
const keptMax = 1_000;

/** How long heads may be passed over, by the lane of the job. */
export type LaneWaits = { of(head: QueueHead): number };

/**
 * A job's lane is in its payload, which may be large: it is read once, in the background, and only where lanes
 * differ; until then the shortest wait holds.
 */
export function createLaneWaits(space: QueueSpace, waitMs: Readonly<Record<Lane, number>>): LaneWaits {
  const shortest = Math.min(...Object.values(waitMs));
  const uniform = Object.values(waitMs).every((ms) => ms === shortest);
  const lanes = new Map<string, Lane | "asked">();

  const ask = async ({ id, queueName }: QueueHead): Promise<void> => {
    const payload = await space.client.hget(space.jobKey(queueName, id), "data");
    const parsed = z.preprocess((text) => JSON.parse(String(text)), payloadSchema).safeParse(payload);
    lanes.set(id, parsed.data?.lane ?? "standard");
  };

  return {
    of(head) {
      if (uniform) return shortest;
      const lane = lanes.get(head.id);
      if (lane === undefined) {
        if (lanes.size >= keptMax) lanes.clear();
        lanes.set(head.id, "asked");
        void ask(head).catch(() => lanes.delete(head.id));
      }
      return lane === undefined || lane === "asked" ? shortest : waitMs[lane];
    },
  };
}
