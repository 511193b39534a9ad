import { OllamaError } from "../http/ollama-error.ts";

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds, Infinity for ever, undefined when absent: a number is seconds, a string a Go duration. */
export function parseKeepAlive(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" && typeof value !== "string") throw unsupported(value);
  const ms = typeof value === "number" ? value * 1000 : parseGoDuration(value);
  return ms < 0 ? Number.POSITIVE_INFINITY : ms;
}

function parseGoDuration(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  if (/^\d+(\.\d*)?$/.test(body)) throw invalid(`missing unit in duration ${JSON.stringify(text)}`);
  if (!/^(?:\d*\.?\d+\.?[a-zµ]+)+$/.test(body)) throw invalid(`invalid duration ${JSON.stringify(text)}`);
  let total = 0;
  for (const [, amount, unit] of body.matchAll(/(\d*\.?\d+\.?)([a-zµ]+)/g)) {
    const ms = unitMs[unit ?? ""];
    if (ms === undefined)
      throw invalid(`unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += Number(amount) * ms;
  }
  return sign * total;
}

function invalid(message: string): OllamaError {
  return new OllamaError(400, `time: ${message}`);
}

function unsupported(value: unknown): OllamaError {
  const goType =
    typeof value === "boolean" ? "bool" : Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
  return new OllamaError(400, `Unsupported type: '${goType}'`);
}
