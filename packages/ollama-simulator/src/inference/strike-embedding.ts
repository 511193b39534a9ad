import type { StruckFaults } from "../faults/fault-book.ts";
import { breakConnection, type Exchange } from "../http/exchange.ts";
import type { Runner } from "../scheduler/runner.ts";
import type { World } from "../world.ts";
import { EmbeddingError, runnerGone } from "./embedding-error.ts";
import { planFault } from "./plan-fault.ts";

/** The same faults as for a generation, as far as they make sense without a stream. Returns if there is none. */
export async function strikeEmbedding(
  world: World,
  exchange: Exchange,
  faults: StruckFaults,
  runner: Runner,
  signal: AbortSignal,
): Promise<void> {
  const fault = planFault(faults);
  if (fault === undefined) return;
  const event = await fault.strike(world, runner, signal, 0);
  if (event.kind === "error") throw new EmbeddingError(fault.message ?? runnerGone);
  if (event.kind === "raw")
    exchange.response.writeHead(200, { "content-type": "application/json" }).end(event.text);
  else await breakConnection(exchange);
  throw new EmbeddingError("the fault has answered");
}
