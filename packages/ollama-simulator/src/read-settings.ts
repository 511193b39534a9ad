import { parseArgs } from "node:util";
import { FaultSyntaxError, parseFaultFlag } from "./faults/parse-faults.ts";
import { environmentName, type FlagName, flags } from "./flags.ts";
import { OllamaError } from "./http/ollama-error.ts";
import { parseModelSpec } from "./models/model-store.ts";
import { parseKeepAlive } from "./native/parse-keep-alive.ts";
import type { SimulatorSettings } from "./settings.ts";

/** The command line is wrong; the message holds one line per problem. */
export class SettingsError extends Error {}

type Given = { values: Partial<Record<FlagName, string>>; faults: string[]; help: boolean };

/** Flags win over the environment, the environment over the defaults. */
export function readSettings(
  args: string[],
  env: Record<string, string | undefined>,
): SimulatorSettings | "help" {
  const given = readFlags(args);
  if (given.help) return "help";
  const problems: string[] = [];
  const read = <T>(flag: FlagName, parse: (text: string) => T, instead: T): T => {
    const [source, text] = locate(flag, given, env);
    try {
      return parse(text);
    } catch (error) {
      problems.push(`${source}: ${explain(error)}`);
      return instead;
    }
  };
  const settings: SimulatorSettings = {
    host: read("host", (text) => text, ""),
    port: read("port", (text) => parseInteger(text, 0, 65_535), 0),
    models: read("models", parseModels, []),
    tokensPerS: read("tokens-per-s", parseSpeed, 0),
    prefillTokensPerS: read("prefill-tokens-per-s", parseSpeed, 0),
    totalTokensPerS: read("total-tokens-per-s", parseSpeed, 0),
    numParallel: read("num-parallel", (text) => parseInteger(text, 1), 1),
    maxLoaded: read("max-loaded", (text) => parseInteger(text, 1), 1),
    maxQueue: read("max-queue", (text) => parseInteger(text, 0), 0),
    loadMs: read("load-ms", (text) => parseInteger(text, 0), 0),
    unloadMs: read("unload-ms", (text) => parseInteger(text, 0), 0),
    keepAliveMs: read("keep-alive", parseDuration, 0),
    contextLength: read("context-length", (text) => parseInteger(text, 4), 4),
    requestsKept: read("requests-kept", (text) => parseInteger(text, 0), 0),
    faults: read(
      "fault",
      (text) => [...given.faults, text].filter((part) => part !== "").flatMap(parseFaultFlag),
      [],
    ),
  };
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  return settings;
}

function readFlags(args: string[]): Given {
  const string = { type: "string" } as const;
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, string]));
  try {
    const { values } = parseArgs({
      args,
      options: {
        ...options,
        fault: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    });
    const { help = false, fault = [], ...rest } = values;
    return { values: rest, faults: fault, help };
  } catch (error) {
    throw new SettingsError(
      `${explain(error)}\nKnown flags: ${Object.keys(flags)
        .map((name) => `--${name}`)
        .join(" ")}`,
    );
  }
}

function locate(
  flag: FlagName,
  { values }: Given,
  env: Record<string, string | undefined>,
): [source: string, text: string] {
  const variable = environmentName(flag);
  if (values[flag] !== undefined) return [`--${flag}`, values[flag]];
  const fromEnvironment = env[variable] ?? "";
  return fromEnvironment === "" ? [`--${flag}`, flags[flag].standard] : [variable, fromEnvironment];
}

function parseInteger(text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  throw new SettingsError(`"${text}" is not a whole number ${range}`);
}

function parseSpeed(text: string): number {
  if (text === "instant") return 0;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new SettingsError(`"${text}" is not a speed: tokens per second, or "instant"`);
}

function parseModels(text: string): string[] {
  const specs = text
    .split(",")
    .map((spec) => spec.trim())
    .filter((spec) => spec !== "");
  for (const spec of specs) parseModelSpec(spec);
  return specs;
}

function parseDuration(text: string): number {
  const seconds = Number(text);
  return parseKeepAlive(text.trim() === "" || Number.isNaN(seconds) ? text : seconds) ?? 0;
}

function explain(error: unknown): string {
  if (error instanceof SettingsError || error instanceof FaultSyntaxError || error instanceof OllamaError)
    return error.message;
  return error instanceof Error ? error.message : String(error);
}
