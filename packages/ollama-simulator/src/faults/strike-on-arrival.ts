import { type Exchange, breakConnection, staySilent } from "../http/exchange.ts";
import { replyError } from "../http/reply-error.ts";
import type { World } from "../world.ts";
import type { Fault } from "./fault.ts";
import type { StruckFaults } from "./fault-book.ts";
import { faultMessage, faultStatus } from "./fault-message.ts";

/**
 * Faults that strike before the request is looked at; true when one did. A request that no model works
 * on has no later moment.
 */
export async function strikeOnArrival(
  world: World,
  exchange: Exchange,
  faults: StruckFaults,
  inference: boolean,
): Promise<boolean> {
  const fault = faults.all.find((candidate) =>
    inference ? strikesAtOnce(candidate) : canStrikePlain(candidate),
  );
  if (fault === undefined) return false;
  switch (fault.kind) {
    case "refuse":
    case "reset":
      await breakConnection(exchange);
      break;
    case "crash":
      world.crash({ downMs: fault.down_ms ?? 0, exit: fault.exit ?? false });
      break;
    case "hang":
      return await staySilent(exchange.signal);
    case "garbage":
      exchange.response
        .writeHead(200, { "content-type": "application/json; charset=utf-8" })
        .end(faultMessage(fault));
      break;
    default:
      replyError(exchange, faultStatus(fault), faultMessage(fault));
  }
  return true;
}

function strikesAtOnce({ kind, after_tokens }: Fault): boolean {
  return kind === "refuse" || ((kind === "status" || kind === "crash") && after_tokens === undefined);
}

const generationOnly = new Set(["no_done", "slow", "empty", "answer", "load_error", "load_stall"]);

function canStrikePlain({ kind }: Fault): boolean {
  return !generationOnly.has(kind);
}
