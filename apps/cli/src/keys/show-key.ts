import type { KeyRecord, NewKey } from "@forebay/access-keys";
import { formatTable } from "../format-table.ts";

/** A record for other programs; the hash stays where it is. */
export function recordToJson(record: KeyRecord): Omit<KeyRecord, "hash"> {
  const { hash: _, ...shown } = record;
  return shown;
}

export function newKeyToJson({ key, record }: NewKey): string {
  return `${JSON.stringify({ key, ...recordToJson(record) })}\n`;
}

/** A new key for a person: the only time it is shown. */
export function newKeyToText({ key, record }: NewKey): string {
  return `${key}\n\nKeep it now: it is stored nowhere and cannot be shown again.\n${summaryOf(record)}\n`;
}

export function summaryOf(record: KeyRecord): string {
  const parts = [`${record.id}  "${record.name}"`, `tenant ${record.tenant}`, `role ${record.role}`];
  if (record.expires_at !== undefined) parts.push(`expires ${record.expires_at}`);
  return parts.join(", ");
}

/** Records as aligned columns. */
export function recordsToTable(records: readonly KeyRecord[], now: number): string {
  const head = ["ID", "NAME", "TENANT", "ROLE", "STATE", "LANES", "MODELS", "WEIGHT", "EXPIRES", "CREATED"];
  const rows = records.map((record) => [
    record.id,
    record.name,
    record.tenant,
    record.role,
    stateOf(record, now),
    lanesOf(record),
    record.models?.join(",") ?? "all",
    String(record.weight),
    record.expires_at ?? "never",
    record.created_at,
  ]);
  return formatTable([head, ...rows]);
}

function stateOf(record: KeyRecord, now: number): string {
  if (record.disabled) return "disabled";
  return record.expires_at !== undefined && Date.parse(record.expires_at) <= now ? "expired" : "active";
}

function lanesOf(record: KeyRecord): string {
  const others = (record.lanes ?? []).filter((lane) => lane !== record.default_lane);
  if (record.lanes === undefined)
    return record.default_lane === "standard" ? "all" : `${record.default_lane},…`;
  return [record.default_lane, ...others].join(",");
}
