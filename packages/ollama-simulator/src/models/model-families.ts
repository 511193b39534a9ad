import type { Capability } from "./capability.ts";

export type ModelFamily = {
  family: string;
  capabilities: ReadonlySet<Capability>;
  billions: number;
  contextLength: number;
  embeddingLength: number;
  singleSlot: boolean;
};

type Row = [
  pattern: RegExp,
  family: string,
  capabilities: Capability[],
  billions: number,
  contextLength: number,
  embeddingLength: number,
];

// First match wins. The sizes are those of the models' default tags.
const rows: Row[] = [
  [/^nomic-embed/, "nomic-bert", ["embedding"], 0.137, 2048, 768],
  [/^all-minilm/, "bert", ["embedding"], 0.023, 256, 384],
  [/^mxbai-embed|^snowflake-arctic-embed/, "bert", ["embedding"], 0.334, 512, 1024],
  [/^bge-m3/, "bert", ["embedding"], 0.567, 8192, 1024],
  [/^embeddinggemma/, "gemma3", ["embedding"], 0.307, 2048, 768],
  [/^qwen3-embedding/, "qwen3", ["embedding"], 0.6, 32768, 1024],
  [/embed|^bge-|minilm/, "bert", ["embedding"], 0.137, 512, 768],
  [/^llama3\.2-vision/, "mllama", ["completion", "vision"], 10.7, 131072, 4096],
  [/^qwen3-vl/, "qwen3vl", ["completion", "vision", "tools", "thinking"], 8.8, 262144, 4096],
  [/^qwen2\.5-?vl/, "qwen25vl", ["completion", "vision"], 8.3, 128000, 3584],
  [/^qwen3\.5/, "qwen35", ["completion", "vision", "tools", "thinking"], 9, 262144, 4096],
  [/^qwen3-next/, "qwen3next", ["completion", "tools", "thinking"], 80, 262144, 2048],
  [/^qwen3-coder/, "qwen3moe", ["completion", "tools"], 30, 262144, 2048],
  [/^(qwen3|qwq)/, "qwen3", ["completion", "tools", "thinking"], 8.2, 40960, 4096],
  [/^deepseek-r1/, "qwen2", ["completion", "tools", "thinking"], 8, 131072, 3584],
  [/^gpt-oss/, "gptoss", ["completion", "tools", "thinking"], 20.9, 131072, 2880],
  [/^magistral/, "llama", ["completion", "tools", "thinking"], 24, 40960, 5120],
  [/^nemotron-h|^nemotron-3/, "nemotron_h", ["completion", "tools", "thinking"], 8, 131072, 4096],
  [/^lfm2/, "lfm2", ["completion", "tools"], 2.6, 32768, 2048],
  [/^(llava|bakllava|moondream|minicpm-v)/, "llama", ["completion", "vision"], 7, 32768, 4096],
  [/^gemma3n/, "gemma3n", ["completion"], 6.9, 32768, 2048],
  [/^gemma3/, "gemma3", ["completion", "vision"], 4.3, 131072, 2560],
  [/^gemma/, "gemma2", ["completion"], 9.2, 8192, 3584],
  [/^(codellama|starcoder|codegemma|deepseek-coder)/, "llama", ["completion", "insert"], 7, 16384, 4096],
  [/^qwen2\.5-coder/, "qwen2", ["completion", "tools", "insert"], 7.6, 32768, 3584],
  [/^qwen/, "qwen2", ["completion", "tools"], 7.6, 32768, 3584],
  [/^llama[23]?(:|$)|^tinyllama|^vicuna|^phi/, "llama", ["completion"], 8, 8192, 4096],
  [/^(mistral|mixtral|command-r)/, "llama", ["completion", "tools"], 7.2, 32768, 4096],
  [/vision|-vl\b/, "llama", ["completion", "vision"], 8, 32768, 4096],
  [/think|reason|-r1\b/, "llama", ["completion", "tools", "thinking"], 8, 32768, 4096],
];

const fallback: Row = [/./, "llama", ["completion", "tools"], 3.2, 131072, 3072];

// From Ollama's load(): architectures it does not dare to run with parallel > 1.
const singleSlotFamilies = new Set(["mllama", "qwen3vl", "qwen35", "qwen3next", "lfm2", "nemotron_h"]);

/** The part after any registry and namespace decides. */
export function familyOf(name: string): ModelFamily {
  const base = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const row = rows.find(([pattern]) => pattern.test(base)) ?? fallback;
  const [, family, capabilities, billions, contextLength, embeddingLength] = row;
  return {
    family,
    capabilities: new Set(capabilities),
    billions,
    contextLength,
    embeddingLength,
    singleSlot: singleSlotFamilies.has(family),
  };
}
