/** What of a request the model reads as text; pictures are counted by themselves. */
const textFields = ["prompt", "system", "suffix", "messages", "tools", "input"] as const;

/** Characters of a request that the model reads, of whatever shape: it need not have been parsed. */
export function countChars(request: unknown): number {
  if (typeof request !== "object" || request === null) return 0;
  const fields = request as Record<string, unknown>;
  return textFields.reduce((sum, field) => sum + lengthOf(fields[field]), 0);
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  let sum = 0;
  for (const [name, part] of Object.entries(value)) if (name !== "images") sum += lengthOf(part);
  return sum;
}
