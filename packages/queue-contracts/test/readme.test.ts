import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createJsonSchemas } from "../publish/json-schemas.ts";
import {
  affinityOf,
  defaultDeliveryPolicy,
  failureCodes,
  inferenceJobSchema,
  inferenceQueueName,
  jobStateSchema,
  queueTag,
  runnerOptionNames,
} from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
// Table cells are padded by the formatter.
const rows = readme.split("\n").map((line) => line.replaceAll(/\s+/g, " "));

test("the manual's table of failure codes is the list", () => {
  const documented = Object.entries(failureCodes).map(
    ([code, { meaning, action, retryable }]) =>
      `| \`${code}\` | ${meaning} | ${action} | ${retryable ? "yes" : "no"} |`,
  );
  const written = rows.filter((row) => /^\| `\w+` \|.*\| (yes|no) \|$/.test(row));
  expect(written).toEqual(documented);
});

test("every payload the manual shows is one", () => {
  const examples = [...readme.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text ?? ""));
  const types = examples.map((example) => inferenceJobSchema.parse(example).type);
  expect(types).toEqual(["generate", "chat", "embed"]);
});

test("the names and numbers the manual gives are the real ones", () => {
  const affinity = affinityOf({ model: "llama3.2:3b" });
  expect(readme).toContain(`such as \`${inferenceQueueName(affinity)}\``);
  expect(readme).toContain(`\`llama3.2:3b\` gives \`${queueTag(affinity)}\``);
  expect(readme).toContain(runnerOptionNames.map((name) => `\`${name}\``).join(", "));
  expect(defaultDeliveryPolicy).toMatchObject({
    attempts: 3,
    completedAgeS: 24 * 3_600,
    completedCount: 10_000,
    failedAgeS: 7 * 24 * 3_600,
    deadLetterAgeS: 30 * 24 * 3_600,
  });
});

test("every state and every JSON Schema is mentioned", () => {
  for (const name of [...jobStateSchema.options, ...createJsonSchemas().keys()])
    expect(readme).toContain(`\`${name}\``);
});
