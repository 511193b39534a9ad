import { readQueueGauges, readRegistry, readWishes } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { refuseQuery } from "../../../http/query.ts";
import { capacityView, type QueueCapacity } from "./capacity-view.ts";
import type { CapacityDeps } from "./capacity-deps.ts";

/** `GET /capacity` */
export function getCapacity(deps: CapacityDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    return jsonResponse(200, await readCapacity(deps));
  };
}

/** Read anew each time: operators who changed something want to see it. */
async function readCapacity({ space, directory, forecasts }: CapacityDeps) {
  const [{ leases }, wishes, entries, workload] = await Promise.all([
    readRegistry(space),
    readWishes(space),
    directory.list(),
    forecasts.workload.get(0),
  ]);
  const queues = await Promise.all(
    entries.map(async ({ name, model }): Promise<QueueCapacity> => {
      const last = { queueName: name, model, tag: Number.POSITIVE_INFINITY, ahead: Number.POSITIVE_INFINITY };
      const [gauges, end] = await Promise.all([readQueueGauges(space, name), forecasts.startOf(last)]);
      const workMs = workload.queues.find((queue) => queue.name === name)?.workMs ?? 0;
      return { model, gauges, workMs, end };
    }),
  );
  return capacityView(leases, wishes, queues);
}
