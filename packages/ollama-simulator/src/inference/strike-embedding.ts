import type { StruckFaults } from "../faults/fault-book.ts";
import { type Exchange, resetConnection } from "../http/exchange.ts";
import type { Runner } from "../scheduler/runner.ts";
import type { World } from "../world.ts";
import { EmbeddingError } from "./embedding-error.ts";
import { planFault } from "./plan-fault.ts";

const runnerGone = 'do embedding request: Post "http://127.0.0.1:39487/v1/embeddings": EOF';

/** The same faults as for a generation, as far as they make sense without a stream. */
export async function strikeEmbedding(
  world: World,
  exchange: Exchange,
  faults: StruckFaults,
  runner: Runner,
  signal: AbortSignal,
): Promise<void> {
  const fault = planFault(faults);
  if (fault === undefined) return;
  try {
    for await (const event of fault.strike(world, runner, signal, 0)) {
      if (event.kind === "error")
        throw new EmbeddingError(
          faults.all.some(({ message }) => message !== undefined) ? event.message : runnerGone,
        );
      if (event.kind === "raw")
        exchange.response
          .writeHead(200, { "content-type": "application/json; charset=utf-8" })
          .end(event.text);
      else resetConnection(exchange);
    }
  } catch (error) {
    if (runner.crash.signal.aborted && !exchange.signal.aborted) throw new EmbeddingError(runnerGone);
    throw error;
  }
}
