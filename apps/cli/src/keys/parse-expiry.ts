const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * When a key ends, as RFC 3339 in UTC: from a span (`90m`, `12h`, `30d`, `8w`) or a time (`2027-01-31T00:00:00Z`).
 * undefined: neither, or not in the future.
 */
export function parseExpiry(text: string, now: number): string | undefined {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const at = count === undefined ? parseTime(text) : now + Number(count) * (unitMs[unit ?? ""] ?? Number.NaN);
  return at > now ? new Date(at).toISOString() : undefined;
}

// Date.parse alone also takes "1" and "next spring 2027".
function parseTime(text: string): number {
  const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
  return rfc3339.test(text) ? Date.parse(text) : Number.NaN;
}
