import { expect, test } from "vitest";
import { toCard } from "./read-model-card.ts";

test("names and numbers are kept; what only the host needs, and what is long, is not", () => {
  const card = toCard({
    license: "MIT",
    modelfile: "FROM /root/blob",
    parameters: "stop <|end|>",
    template: "{{ .Prompt }}",
    capabilities: ["completion", "vision"],
    model_info: {
      "llama.context_length": 8_192,
      "general.architecture": "llama",
      "tokenizer.ggml.add_bos_token": true,
      "tokenizer.ggml.tokens": ["a", "b"],
      "tokenizer.ggml.merges": null,
      "tokenizer.chat_template": "x".repeat(300),
    },
  });
  expect(card).toEqual({
    capabilities: ["completion", "vision"],
    model_info: {
      "llama.context_length": 8_192,
      "general.architecture": "llama",
      "tokenizer.ggml.add_bos_token": true,
    },
    parameters: "stop <|end|>",
    template: "{{ .Prompt }}",
  });
});

test("a template that is too long is left out, not cut", () => {
  expect(toCard({ template: "x".repeat(40_000), parameters: null }).template).toBe("");
});

test("a host too old to know capabilities has none", () => {
  expect(toCard({})).toEqual({ capabilities: [], model_info: {}, parameters: "", template: "" });
});

test("what is no answer of Ollama's is none", () => {
  expect(() => toCard({ capabilities: "all" })).toThrow();
});
