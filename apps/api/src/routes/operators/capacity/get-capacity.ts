import { readQueueGauges, readRegistry, readWishes } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { refuseQuery } from "../../../http/query.ts";
import { capacityView } from "./capacity-view.ts";
import type { CapacityDeps } from "./capacity-deps.ts";

/** `GET /capacity` */
export function getCapacity(deps: CapacityDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    return jsonResponse(200, await readCapacity(deps));
  };
}

/** Read anew each time: operators who changed something want to see it. */
async function readCapacity({ space, directory }: CapacityDeps) {
  const [{ leases }, wishes, entries] = await Promise.all([
    readRegistry(space),
    readWishes(space),
    directory.list(),
  ]);
  const queues = await Promise.all(
    entries.map(async ({ name, model }) => ({ model, gauges: await readQueueGauges(space, name) })),
  );
  return capacityView(leases, wishes, queues);
}
