import { Problem } from "../../http/problem.ts";

/** Longest wait a client may ask for, in seconds: proxies cut silent connections soon after. */
export const waitSecondsMax = 60;

/** What `Prefer` asks of `POST /jobs` (RFC 7240). */
export type Preference = {
  /** Seconds to wait for the job to end; undefined: not at all. */ readonly waitS: number | undefined;
  /** What was honoured, for `Preference-Applied`. */ readonly applied: string | undefined;
};

/** Preferences nobody knows are ignored, as the RFC wants; a wait that is no number of seconds is too. */
export function parsePrefer(header: string | undefined): Preference {
  const given = new Map(
    (header ?? "").split(",").map((part) => {
      const [name = "", value = ""] = part.split(";", 1)[0]?.split("=") ?? [];
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, "$1")] as const;
    }),
  );
  const wait = given.get("wait");
  if (wait !== undefined && /^\d{1,6}$/.test(wait)) {
    const waitS = Math.min(Number(wait), waitSecondsMax);
    return { waitS, applied: `wait=${waitS}` };
  }
  return { waitS: undefined, applied: given.has("respond-async") ? "respond-async" : undefined };
}

/** `?wait=`: seconds, at most 60. Throws Problem. */
export function parseWait(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text) && Number(text) <= waitSecondsMax) return Number(text);
  const message = `must be a whole number of seconds, at most ${waitSecondsMax}`;
  throw new Problem("invalid_query", `The query parameter wait ${message}.`, {
    errors: [{ path: "?wait", message }],
  });
}

/** `Forebay-On-Disconnect`: what becomes of the job when the client goes while it waits. Throws Problem. */
export function parseOnDisconnect(header: string | undefined): "cancel" | "detach" {
  if (header === undefined || header === "detach") return "detach";
  if (header === "cancel") return "cancel";
  const message = 'must be "cancel" or "detach"';
  throw new Problem("malformed_request", `Forebay-On-Disconnect ${message}.`, {
    errors: [{ path: "Forebay-On-Disconnect", message }],
  });
}
