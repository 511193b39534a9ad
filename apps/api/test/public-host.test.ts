import { fileURLToPath } from "node:url";
import { createKeyStore } from "@forebay/access-keys";
import { closeRedis, openQueueSpace, openRedis } from "@forebay/queue-bullmq";
import { freePort, startProcess, startRedis } from "@forebay/test-harness";
import { expect, test } from "vitest";

const file = fileURLToPath(new URL("../src/main.ts", import.meta.url));

async function startOnAllAddresses(redisUrl: string) {
  const [port, opsPort] = [await freePort(), await freePort()];
  const env = { REDIS_URL: redisUrl, API_HOST: "0.0.0.0", API_PORT: `${port}`, API_OPS_PORT: `${opsPort}` };
  return { port, process: await startProcess({ file, env, ready: `http://127.0.0.1:${opsPort}/readyz` }) };
}

test("without a key the API refuses to be reachable from other machines, and says what to do", async () => {
  await using redis = await startRedis();
  await expect(startOnAllAddresses(redis.url)).rejects.toThrow(/npm run forebay -- keys create/);
});

test("a public API stays closed when every key vanishes", async () => {
  await using redis = await startRedis();
  const client = openRedis({ url: redis.url, prefix: "forebay" }, "consumer", "test", () => undefined);
  const space = openQueueSpace(client, "forebay");
  const { key } = await createKeyStore(space).create({ name: "first", tenant: "acme" });
  const api = await startOnAllAddresses(redis.url);
  await using _process = api.process;
  const status = async (headers: Record<string, string> = {}) => {
    const answer = await fetch(`http://127.0.0.1:${api.port}/jobs`, { headers });
    await answer.body?.cancel();
    return answer.status;
  };
  expect(await status({ "x-api-key": key })).toBe(200);
  await client.flushall();
  await expect.poll(() => status({ "x-api-key": key }), { timeout: 5_000 }).toBe(401);
  expect(await status()).toBe(401);
  await space.close();
  await closeRedis(client);
});
