import { createClient, type ForebayClient, type Retry } from "@forebay/client";
import { loadConfig } from "@forebay/service-runtime";
import { z } from "zod";
import type { CliIo } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/** Flags of every command that talks to the API. */
export const apiFlags = {
  url: { type: "string" },
  "api-key": { type: "string" },
  json: { type: "boolean" },
} as const;

export const apiFlagsHelp = `  --url URL             where the API is; default FOREBAY_URL, or http://127.0.0.1:8080
  --api-key KEY         default FOREBAY_API_KEY, which other users of this machine cannot see
  --json                print JSON
`;

const envSchema = z.object({
  FOREBAY_URL: z.string().default("http://127.0.0.1:8080"),
  FOREBAY_API_KEY: z.string().optional(),
});

/** Throws UsageError for an address that is none, ConfigError for a file of the environment that is not there. */
export function openClient(
  command: string,
  flags: { url?: string | undefined; "api-key"?: string | undefined },
  { env }: Pick<CliIo, "env">,
): ForebayClient {
  const config = loadConfig(envSchema, env);
  const baseUrl = flags.url ?? config.FOREBAY_URL;
  try {
    return createClient({ baseUrl, apiKey: flags["api-key"] ?? config.FOREBAY_API_KEY, retries: 3 });
  } catch (cause) {
    const where = flags.url === undefined ? "FOREBAY_URL" : "--url";
    throw new UsageError(
      `${where} must be an address such as http://127.0.0.1:8080, not "${baseUrl}"`,
      command,
      {
        cause,
      },
    );
  }
}

/** For calls: tells that one is made again, and why. */
export function tellRetries(io: CliIo): { onRetry: (retry: Retry) => void } {
  return { onRetry: (retry) => io.err(`forebay: ${describeRetry(retry)}\n`) };
}

export function describeRetry({ error, delayMs }: Retry): string {
  return `${error.detail} Trying again in ${Math.ceil(delayMs / 1_000)} s.`;
}

/** `key=value`, as often as given. Throws UsageError. */
export function parsePairs(
  command: string,
  flag: string,
  pairs: readonly string[] = [],
): Map<string, string> {
  return new Map(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf("=");
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new UsageError(`${flag} takes key=value, not "${pair}"`, command);
    }),
  );
}

/** The one job a command is about. Throws UsageError. */
export function parseJobId(command: string, positionals: readonly string[]): string {
  const [id] = positionals;
  if (id === undefined) throw new UsageError("which job? (its id, j…)", command);
  return id;
}
