import { describeResponse, wholeResponse } from "./response-answer.ts";
import { type Said, saidIn } from "./response-items.ts";
import type { ResponseJob } from "./response-job.ts";
import { createResponseOutput, type OutputEvent } from "./response-output.ts";

/** An entry of a job's log. */
type ResponseLogEntry = {
  readonly seq: number;
  /** Number of the entry before it. */ readonly follows: number;
  readonly event: string;
  /** JSON. */ readonly data: string;
};

export type ResponseEvent = OutputEvent & { readonly sequence_number: number };

/** What an answer has grown by, and what of it a reader has not seen who cannot take anything back. */
type Continuation = { add(grown: Said): Said | undefined; restart(): void; readonly behind: boolean };

/**
 * A response's events, made of its job's log, which is all they are made of: whoever folds the same log gets the
 * same event under the same number. Entries are given in order and once.
 */
export type ResponseFold = {
  /** The job was accepted. */ begin(): ResponseEvent[];
  entry(entry: ResponseLogEntry): ResponseEvent[];
  /** The job ended. */ end(ended: ResponseJob): ResponseEvent[];
  /** Number of the last event; -1 before the first. */ readonly last: number;
  /** The last event was given: nothing follows. */ readonly over: boolean;
};

/** More than an entry has events: numbers after a gap are above all that were given out for what was lost. */
const eventsPerEntryMax = 1_000_000;

const finalStates: ReadonlySet<string> = new Set([
  "completed",
  "failed",
  "cancelled",
  "expired",
  "timed_out",
]);

const beganAnew =
  "The generation had to begin anew and says something else now. Retrieve the response for what it says in the end.";

export function createResponseFold(response: ResponseJob, continuation: Continuation): ResponseFold {
  const output = createResponseOutput(response.id);
  let last = -1;
  let running = false;
  let over = false;
  const number = (events: readonly OutputEvent[]): ResponseEvent[] =>
    events.map((event) => ({ ...event, sequence_number: ++last }));
  /** Nothing can be taken back: the reader is told, and finds the answer under the response's id. */
  const breakOff = (): ResponseEvent[] => {
    over = true;
    return number([{ type: "error", code: "stream_interrupted", message: beganAnew, param: null }]);
  };
  const grow = (grown: Said): OutputEvent[] | undefined => {
    const fresh = continuation.add(grown);
    return fresh && output.add(fresh);
  };
  const enter = (data: { state?: string }): ResponseEvent[] => {
    // It ended so and was put back: the number of the event that said it stays taken.
    if (finalStates.has(data.state ?? "")) last++;
    if (data.state !== "active" || running) return [];
    running = true;
    return number([{ type: "response.in_progress", response: describeResponse(response, "in_progress") }]);
  };

  return {
    get last() {
      return last;
    },
    get over() {
      return over;
    },
    begin: () =>
      number(
        (["created", "queued"] as const).map((what) => ({
          type: `response.${what}`,
          response: describeResponse(response, "queued"),
        })),
      ),
    entry({ seq, follows, event, data }) {
      if (over) return [];
      if (follows !== seq - 1) last = seq * eventsPerEntryMax;
      if (event === "state") return enter(JSON.parse(data) as { state?: string });
      if (event === "token") {
        const events = grow(parseTokens(data));
        return events ? number(events) : breakOff();
      }
      if (event === "restart") {
        continuation.restart();
        output.restart();
      }
      return [];
    },
    end(ended) {
      if (over) return [];
      over = true;
      if (ended.state !== "completed") {
        // There is no event for a cancelled one; SDKs look at the status.
        return number([{ type: "response.failed", response: wholeResponse(ended) }]);
      }
      continuation.restart();
      const events = grow(saidIn(ended.result));
      // A new attempt may also have stopped before the old one did.
      if (!events || continuation.behind) return breakOff();
      const whole = wholeResponse(ended) as { status: string };
      const closing = output.finish(ended.result);
      return number([...events, ...closing, { type: `response.${whole.status}`, response: whole }]);
    },
  };
}

function parseTokens(data: string): Said {
  const {
    text = "",
    thinking = "",
    tool_calls: toolCalls = [],
  } = JSON.parse(data) as {
    text?: string;
    thinking?: string;
    tool_calls?: unknown[];
  };
  return { text, thinking, toolCalls };
}
