import { Problem } from "../../../http/problem.ts";

/**
 * The number of the last event a reader has seen, 0 when it has seen none: from `Last-Event-ID`, which a
 * reconnecting browser sends, or else from `?after=`. Throws Problem.
 */
export function parsePosition(lastEventId: string | undefined, after: string | undefined): number {
  const text = lastEventId ?? after;
  if (text === undefined || text === "") return 0;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const path = lastEventId === undefined ? "?after" : "Last-Event-ID";
  const message = "must be the id of an event of this job: a whole number, 0 or above";
  throw new Problem("invalid_position", `${path} ${message}.`, { errors: [{ path, message }] });
}
