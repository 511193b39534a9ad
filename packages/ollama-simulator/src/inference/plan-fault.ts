import { setImmediate as nextTurn } from "node:timers/promises";
import type { Fault } from "../faults/fault.ts";
import type { StruckFaults } from "../faults/fault-book.ts";
import { faultMessage, faultStatus } from "../faults/fault-message.ts";
import { staySilent } from "../http/exchange.ts";
import type { Runner } from "../scheduler/runner.ts";
import type { World } from "../world.ts";
import type { InferenceEvent } from "./inference-event.ts";

type Strike = (world: World, runner: Runner, signal: AbortSignal, tokens: number) => Promise<InferenceEvent>;
export type PlannedFault = { afterTokens: number; message: string | undefined; strike: Strike };

// Enough that a reader has surely seen the beginning of the answer.
const midStreamTokens = 5;

/** The fault that ends this generation, if one does, and after how many tokens. */
export function planFault(faults: StruckFaults): PlannedFault | undefined {
  const fault = faults.find(
    "hang",
    "reset",
    "no_done",
    "in_band_error",
    "garbage",
    "terminated",
    "runner_crash",
    "crash",
    "status",
  );
  if (fault === undefined) return undefined;
  return {
    afterTokens: fault.after_tokens ?? defaultAfter(fault),
    message: fault.message,
    strike: (...rest) => strike(fault, ...rest),
  };
}

function defaultAfter({ kind }: Fault): number {
  return kind === "reset" || kind === "no_done" || kind === "in_band_error" || kind === "garbage"
    ? midStreamTokens
    : 0;
}

/** What the connection is to suffer; never resolves normally where nobody is left to tell. */
async function strike(
  fault: Fault,
  world: World,
  runner: Runner,
  signal: AbortSignal,
  tokens: number,
): Promise<InferenceEvent> {
  // What was written in this turn leaves the process at its end, and not at all if the socket is cut before.
  await nextTurn();
  switch (fault.kind) {
    case "reset":
      return { kind: "reset" };
    case "no_done":
      return { kind: "end" };
    case "garbage":
      return { kind: "raw", text: `${faultMessage(fault)}\n` };
    case "hang":
      return await staySilent(signal);
    case "runner_crash":
      world.scheduler.crash(runner, new Error(faultMessage(fault)));
      return await staySilent(signal);
    case "crash":
      world.crash({ downMs: fault.down_ms ?? 0, exit: fault.exit ?? false });
      return await staySilent(signal);
    default:
      return {
        kind: "error",
        status: faultStatus(fault),
        message: tokens > 0 ? inBandMessage(fault) : faultMessage(fault),
      };
  }
}

function inBandMessage(fault: Fault): string {
  return (
    fault.message ??
    (fault.kind === "terminated"
      ? faultMessage(fault)
      : "an error was encountered while running the model: unexpected EOF")
  );
}
