/** One line of the report: what Forebay does, what the baseline does, and whether that is enough. */
export type Figure = {
  readonly name: string;
  readonly unit: string;
  readonly forebay: number;
  readonly baseline?: number | undefined;
  /** Measured, and what it must be. Absent: shown for information. */
  readonly judged?: { readonly value: number; readonly target: Target } | undefined;
  /** Everything else worth keeping; only in the JSON. */
  readonly details?: unknown;
};

export type Target = { readonly kind: "atLeast" | "atMost"; readonly limit: number; readonly unit: string };

export const atLeast = (limit: number, unit = "x"): Target => ({ kind: "atLeast", limit, unit });
export const atMost = (limit: number, unit = "x"): Target => ({ kind: "atMost", limit, unit });

export function passes({ judged }: Figure): boolean | undefined {
  if (!judged) return undefined;
  const { value, target } = judged;
  return target.kind === "atLeast" ? value >= target.limit : value <= target.limit;
}
