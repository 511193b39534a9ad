import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitFor } from "@forebay/test-harness";
import { expect, inject, test } from "vitest";
import { createLiveStack, ended, submit } from "./live-fixture.ts";

const guide = readFileSync(new URL("../../../docs/batches.md", import.meta.url), "utf8");
const blocks = [...guide.matchAll(/^```(sh|js)\n(.*?)^```$/gms)];
/** Where the packages are found. */
const modules = fileURLToPath(new URL("..", import.meta.url));

test("every block of the guide to batches runs as it stands", async () => {
  await using live = await createLiveStack(inject("redisUrl"), { numParallel: 2, tokensPerS: 2_000 });
  const [api] = await Promise.all([
    live.startApi(),
    live.startWorker({ WORKER_CONCURRENCY: "2" }),
    live.startBatchRunner(),
  ]);
  await ended(api.url, await submit(api.url));
  const run = async ([, language, code = ""]: readonly string[]): Promise<string> => {
    const here = code.replaceAll("http://127.0.0.1:8080", api.url);
    const [program, args, cwd] =
      language === "sh"
        ? ["sh", ["-c", here], live.dataDir]
        : [process.execPath, ["--input-type=module", "-e", here], modules];
    return (await promisify(execFile)(program, args, { cwd, timeout: 30_000 })).stdout;
  };

  expect(blocks).toHaveLength(3);
  const [curl = [], sdk = [], retry = []] = blocks;
  const { id } = JSON.parse(await run(curl)) as { id: string };
  await waitFor(
    async () => {
      const batch = (await (await fetch(`${api.url}/v1/batches/${id}`)).json()) as { status: string };
      return batch.status === "completed";
    },
    { what: "the batch made with curl is completed" },
  );
  expect(await run(sdk)).toMatch(/^(sky|sea) \S.*\n(.*\n)*(sky|sea) \S/);
  expect(await run(retry)).toContain("400");
});
