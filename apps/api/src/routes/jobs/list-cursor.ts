import { createHash } from "node:crypto";
import { jobIdSchema } from "@forebay/queue-contracts";
import { Problem } from "../../http/problem.ts";

/**
 * A place in one tenant's list under one filter: the last id shown, and a check so that a cursor that was
 * altered, or belongs to another list, is told and does not lead somewhere else. Not a secret: whatever it is
 * made to say, it only ever leads through the caller's own jobs.
 */
export function formatCursor(lastId: string, list: string): string {
  return Buffer.from(`${lastId}.${checkOf(lastId, list)}`).toString("base64url");
}

/** The id to go on after. Throws Problem. */
export function parseCursor(cursor: string, list: string): string {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  const [id = "", check] = text.split(".");
  const intact = jobIdSchema.safeParse(id).success && check === checkOf(id, list);
  // Decoding skips what is not base64url, so the same text can be spelled in other ways too.
  if (intact && formatCursor(id, list) === cursor) return id;
  throw new Problem("invalid_cursor", "Give next_cursor back as it was, with the same filters.");
}

function checkOf(id: string, list: string): string {
  return createHash("sha256").update(`${id}\n${list}`).digest("base64url").slice(0, 10);
}
