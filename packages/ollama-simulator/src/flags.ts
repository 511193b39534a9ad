type Flag = { value: string; standard: string; text: string };

/** Each is also an environment variable: `--tokens-per-s` is SIMULATOR_TOKENS_PER_S. */
export const flags = {
  port: { value: "number", standard: "11434", text: "0 lets the system choose" },
  host: { value: "address", standard: "127.0.0.1", text: "0.0.0.0 in a container" },
  models: {
    value: "names",
    standard: "llama3.2:3b,qwen3:8b,nomic-embed-text",
    text: "comma separated; name=tools+vision says what a model can do when its name does not",
  },
  "tokens-per-s": {
    value: "speed",
    standard: "60",
    text: "decoding, of one generation; 0 or instant: no waiting",
  },
  "prefill-tokens-per-s": { value: "speed", standard: "2000", text: "reading the prompt" },
  "total-tokens-per-s": {
    value: "speed",
    standard: "0",
    text: "ceiling of all generations together; 0: none",
  },
  "num-parallel": { value: "number", standard: "1", text: "slots of each loaded model" },
  "max-loaded": { value: "number", standard: "3", text: "models in memory at once" },
  "max-queue": { value: "number", standard: "512", text: "requests that may wait for a load" },
  "load-ms": { value: "ms", standard: "3000", text: "loading a model" },
  "unload-ms": { value: "ms", standard: "500", text: "until an unloaded model's memory is free" },
  "keep-alive": {
    value: "duration",
    standard: "5m",
    text: "5m, 30s, seconds, or -1 for ever (--keep-alive=-1)",
  },
  "context-length": { value: "tokens", standard: "4096", text: "num_ctx where a request names none" },
  "requests-kept": {
    value: "number",
    standard: "200",
    text: "how many requests /__simulator/requests remembers",
  },
  fault: { value: "fault", standard: "", text: "kind, kind,field=value,… or JSON; may be repeated" },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof flags;

export function environmentName(flag: string): string {
  return `SIMULATOR_${flag.toUpperCase().replaceAll("-", "_")}`;
}

export function usage(): string {
  const lines = Object.entries(flags).map(([name, { value, standard, text }]) => {
    const left = `  --${name} <${value}>`.padEnd(36);
    return `${left}${text}${standard === "" ? "" : ` (${standard})`}`;
  });
  return [
    "An Ollama that needs no GPU: same wire, same scheduler, any speed, faults on demand.",
    "",
    "Usage: simulator [flags]; each flag is also an environment variable (SIMULATOR_PORT for --port).",
    "",
    ...lines,
  ].join("\n");
}
