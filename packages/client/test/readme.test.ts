import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as client from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test("the manual names every call and every error", () => {
  const calls = Object.keys(client.createClient({ baseUrl: "http://127.0.0.1" }));
  for (const name of calls) expect(readme).toContain(`\`${name}(`);
  for (const name of Object.keys(client).filter((each) => each.endsWith("Error"))) {
    expect(readme).toContain(`\`${name}\``);
  }
});
