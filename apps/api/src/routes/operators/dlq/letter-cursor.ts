import { createHash } from "node:crypto";
import type { LetterPosition } from "@forebay/queue-bullmq";
import { jobIdSchema } from "@forebay/queue-contracts";
import { Problem } from "../../../http/problem.ts";

/**
 * A place in the list of dead letters under one filter, with a check, so that a cursor that was altered or
 * belongs to another list is told and does not lead somewhere else.
 */
export function formatLetterCursor({ failedMs, id }: LetterPosition, list: string): string {
  const place = `${failedMs}.${id}`;
  return Buffer.from(`${place}.${checkOf(place, list)}`).toString("base64url");
}

/** The place to go on after. Throws Problem. */
export function parseLetterCursor(cursor: string, list: string): LetterPosition {
  const [time = "", id = ""] = Buffer.from(cursor, "base64url").toString("latin1").split(".");
  const position = { failedMs: Number(time), id };
  const wellFormed = /^\d{1,15}$/.test(time) && jobIdSchema.safeParse(id).success;
  if (wellFormed && formatLetterCursor(position, list) === cursor) return position;
  throw invalidCursor();
}

/** A place in the audit: the id of its stream's entry. */
export function formatAuditCursor(entryId: string): string {
  return Buffer.from(entryId).toString("base64url");
}

/** Throws Problem. */
export function parseAuditCursor(cursor: string): string {
  const entryId = Buffer.from(cursor, "base64url").toString("latin1");
  if (/^\d{1,15}-\d{1,15}$/.test(entryId) && formatAuditCursor(entryId) === cursor) return entryId;
  throw invalidCursor();
}

function invalidCursor(): Problem {
  return new Problem("invalid_cursor", "Give next_cursor back as it was, with the same filters.");
}

function checkOf(place: string, list: string): string {
  return createHash("sha256").update(`${place}\n${list}`).digest("base64url").slice(0, 10);
}
