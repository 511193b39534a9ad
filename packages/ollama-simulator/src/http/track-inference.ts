import type { StruckFaults } from "../faults/fault-book.ts";
import { strikeOnArrival } from "../faults/strike-on-arrival.ts";
import type { LoggedRequest } from "../request-log.ts";
import type { World } from "../world.ts";
import { type Exchange, ServerCutOffError } from "./exchange.ts";
import { replyFailure } from "./reply-error.ts";

/** Logs and counts a request that makes a model work, from its arrival to its outcome. */
export async function trackInference(
  world: World,
  exchange: Exchange,
  logged: LoggedRequest,
  faults: StruckFaults,
  run: () => Promise<"completed" | "failed">,
): Promise<void> {
  const model = world.models.find(logged.model)?.name;
  world.log.add(logged);
  world.counters.add("requests", model);
  try {
    logged.outcome = (await strikeOnArrival(world, exchange, faults, true)) ? "failed" : await run();
  } catch (error) {
    logged.outcome = wasAborted(exchange.signal) ? "aborted" : "failed";
    replyFailure(exchange, error);
  }
  world.counters.add(logged.outcome, model);
}

function wasAborted({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(reason instanceof ServerCutOffError);
}
