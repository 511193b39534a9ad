import { stripVTControlCharacters } from "node:util";

const dropped = new Set(["time", "level", "service", "msg", "err"]);

/** Where a logger writes for a person: `12:31:07 warn  api  Redis does not answer  waited_ms=2000`. */
export function openPrettyDestination(): { write(line: string): void } {
  return { write: (line) => void process.stdout.write(`${formatPrettyLine(line)}\n`) };
}

/** One JSON log line as one short line; what is not such a line is returned unchanged. */
export function formatPrettyLine(line: string): string {
  const entry = parseEntry(line);
  if (entry === undefined) return line.trimEnd();
  const fields = Object.entries(entry)
    .filter(([name]) => !dropped.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const head = [
    new Date(String(entry.time)).toTimeString().slice(0, 8),
    String(entry.level).padEnd(5),
    String(entry.service),
  ];
  const text = [...head, String(entry.msg ?? ""), ...fields].join("  ") + describeError(entry.err);
  // Values come from callers: no escape sequence of theirs reaches the terminal, and no second line of theirs
  // looks like one of ours.
  return stripVTControlCharacters(text).replaceAll(/\r?\n|\r/g, "\n    ");
}

function parseEntry(line: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

function describeError(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const stack: unknown = "stack" in error ? error.stack : undefined;
  return `  ${typeof stack === "string" ? stack : JSON.stringify(error)}`;
}
