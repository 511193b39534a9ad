import { describe, expect, test } from "vitest";
import { createModelCard } from "./model-card.ts";
import { fullModelName, parseModelName } from "./model-name.ts";
import { ModelStore } from "./model-store.ts";

test.each([
  ["llama3.2:3b", ["completion", "tools"], "3.0B"],
  ["qwen3:8b", ["completion", "tools", "thinking"], "8.0B"],
  ["qwen3:0.6b", ["completion", "tools", "thinking"], "600M"],
  ["deepseek-r1:70b", ["completion", "tools", "thinking"], "70.0B"],
  ["nomic-embed-text:latest", ["embedding"], "137M"],
  ["all-minilm:22m", ["embedding"], "22M"],
  ["gemma3:4b", ["completion", "vision"], "4.0B"],
  ["llama3.2-vision:11b", ["completion", "vision"], "11.0B"],
  ["llava:7b", ["completion", "vision"], "7.0B"],
  ["codellama:7b", ["completion", "insert"], "7.0B"],
  ["someone/qwen3-finetune:latest", ["completion", "tools", "thinking"], "8.2B"],
  ["gpt-oss:20b", ["completion", "tools", "thinking"], "20.0B"],
])("%s can %j", (name, capabilities, size) => {
  const card = createModelCard(name);
  expect([...card.capabilities].toSorted()).toEqual(capabilities.toSorted());
  expect(card.parameterSize).toBe(size);
});

test.each([
  ["nomic-embed-text:latest", true],
  ["qwen3-vl:8b", true],
  ["qwen3:8b", false],
])("%s runs with a single slot: %s", (name, singleSlot) =>
  expect(createModelCard(name).singleSlot).toBe(singleSlot),
);

describe("names", () => {
  test.each([
    ["llama3.2", "llama3.2:latest"],
    ["llama3.2:3b", "llama3.2:3b"],
    ["registry.ollama.ai/library/llama3.2", "llama3.2:latest"],
    ["user/model:tag", "user/model:tag"],
    ["hf.co/user/model:Q4_K_M", "hf.co/user/model:Q4_K_M"],
    ["", undefined],
    ["a b", undefined],
    ["a:", undefined],
    ["a//b", undefined],
    ["-a", undefined],
  ])("%j is %j", (raw, name) => expect(parseModelName(raw)).toBe(name));

  test("in full carry the registry", () => {
    expect(fullModelName("llama3.2:3b")).toBe("registry.ollama.ai/library/llama3.2:3b");
    expect(fullModelName("user/model:tag")).toBe("registry.ollama.ai/user/model:tag");
  });
});

describe("a list of models", () => {
  test("is found in any spelling", () => {
    const store = new ModelStore(["llama3.2", "qwen3:8b"]);
    expect(store.find("LLAMA3.2:latest")?.name).toBe("llama3.2:latest");
    expect(store.find("qwen3")).toBeUndefined();
  });

  test("takes capabilities from the caller, and refuses unknown ones", () => {
    const store = new ModelStore(["mine:1b=completion+vision"]);
    expect([...(store.find("mine:1b")?.capabilities ?? [])]).toEqual(["completion", "vision"]);
    expect(() => new ModelStore(["mine:1b=flying"])).toThrow('model "mine:1b": unknown capability "flying"');
    expect(() => new ModelStore(["not a name"])).toThrow('"not a name" is not a model name');
  });
});
