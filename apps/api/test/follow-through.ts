import { setTimeout as pause } from "node:timers/promises";
import { isFinalState, jobStateSchema } from "@forebay/queue-contracts";
import { NoStreamError, readEvents, type SseEvent } from "./read-events.ts";

/** What a reader got over all its connections. */
export type Followed = { readonly events: readonly SseEvent[]; readonly connections: number };

const reconnectMs = 30;

/**
 * Reads a job's events to its end as a browser does: whatever breaks, it comes back with the last id it has, to
 * the next of the `urls`. Throws when it is told that what it wants is not there.
 */
export async function followThrough(
  urls: readonly string[],
  id: string,
  options: { after?: number; onEvent?: (event: SseEvent) => void } = {},
): Promise<Followed> {
  const events: SseEvent[] = [];
  for (let connections = 1; ; connections++) {
    const url = `${urls[connections % urls.length]}/jobs/${id}/events`;
    try {
      for await (const event of readEvents(url, events.at(-1)?.id ?? options.after ?? 0)) {
        if (event.event === "error") throw new StreamError(String(event.data["code"]));
        events.push(event);
        options.onEvent?.(event);
      }
    } catch (error) {
      if (!mayComeBack(error)) throw error;
    }
    if (isLast(events.at(-1))) return { events, connections };
    await pause(reconnectMs);
  }
}

class StreamError extends Error {}

function mayComeBack(error: unknown): boolean {
  if (error instanceof StreamError) return error.message !== "offset_lost";
  return !(error instanceof NoStreamError) || error.status === 503;
}

function isLast(event: SseEvent | undefined): boolean {
  const state = jobStateSchema.safeParse(event?.event).data;
  return state !== undefined && isFinalState(state);
}

/** Resolves once a reader has got so many events of this name. */
export function countEvents(name: string): {
  onEvent: (event: SseEvent) => void;
  reached: (count: number) => Promise<void>;
} {
  let seen = 0;
  const waiting = new Map<() => void, number>();
  return {
    onEvent({ event }) {
      if (event === name) seen++;
      for (const [resolve, count] of waiting) if (seen >= count) resolve();
    },
    reached: (count) =>
      new Promise((resolve) => {
        if (seen >= count) resolve();
        else waiting.set(resolve, count);
      }),
  };
}
