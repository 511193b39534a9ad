import { announceWorker } from "@forebay/queue-bullmq";
import { queueDirectoryKey, queueEntry } from "@forebay/queue-contracts";
import { expect, it } from "vitest";
import { startBoard } from "./board-fixture.ts";
import { putJob } from "./put-job.ts";
import type { Visitor } from "./visitor.ts";

type ShownQueue = { name: string; displayName: string; description: string; hasWorkers: boolean | null };

async function queuesOf(somebody: Visitor): Promise<ShownQueue[]> {
  return ((await somebody.get("/api/queues")).json() as { queues: ShownQueue[] }).queues;
}
const namesOf = async (somebody: Visitor) => (await queuesOf(somebody)).map((queue) => queue.name).toSorted();

it("the board shows every queue of the directory by the name of its model, and those of the services", async () => {
  await using board = await startBoard();
  const somebody = await board.loggedIn("operator");
  const internal = ["Batches", "Dead letters", "Dead-letter actions", "Schedule ticks"];
  expect(await namesOf(somebody)).toEqual(internal);
  await putJob(board.space, { model: "llama3.2:3b" });
  await putJob(board.space, { model: "llama3.2:3b", options: { num_ctx: 8192 } });
  await putJob(board.space, { model: "hf.co/owner/model.with.dots:Q4_K_M" });
  await expect
    .poll(() => namesOf(somebody))
    .toEqual([...internal, "hf.co/owner/model.with.dots:Q4_K_M", "llama3.2:3b", "llama3.2:3b num_ctx=8192"]);
});

it("a queue whose announcement was lost is found by the next look", async () => {
  await using board = await startBoard();
  const somebody = await board.loggedIn("operator");
  const { tag, entry } = queueEntry({ model: "quiet:1b", runner: {} });
  await board.space.client.hset(queueDirectoryKey(board.space.prefix), tag, JSON.stringify(entry));
  await expect.poll(() => namesOf(somebody), { timeout: 15_000 }).toContain("quiet:1b");
});

it("a queue and a job are found by addresses with slashes, dots, colons and blanks in them", async () => {
  await using board = await startBoard();
  const somebody = await board.loggedIn("admin");
  const models = [
    { model: "hf.co/owner/model.with.dots:Q4_K_M" },
    { model: "llama3.2:3b", options: { num_ctx: 8192 } },
  ];
  const titles = ["hf.co/owner/model.with.dots:Q4_K_M", "llama3.2:3b num_ctx=8192"];
  for (const [index, job] of models.entries()) {
    const { id, queueName } = await putJob(board.space, job);
    const queue = encodeURIComponent(titles[index] ?? "");
    await expect.poll(async () => (await somebody.get(`/api/queues/${queue}/${id}`)).status).toBe(200);
    expect((await somebody.get(`/queue/${queue}/${id}`)).text).toContain('<div id="root">');
    const shown = (await queuesOf(somebody)).find((each) => each.name === titles[index]);
    expect(shown?.description).toContain(queueName);
  }
});

it("a queue without a worker that has its model is shown as one", async () => {
  await using board = await startBoard();
  const somebody = await board.loggedIn("operator");
  const models = [{ name: "served:1b", loaded: true }];
  const backends = [{ name: "gpu-1", up: true, slots: 1, models }];
  const started_at = new Date().toISOString();
  await announceWorker(board.space, { worker: "box-1", started_at, backends, finished_per_s: {} }, 60);
  for (const model of ["served:1b", "orphan:1b"]) await putJob(board.space, { model });
  await expect
    .poll(async () =>
      Object.fromEntries((await queuesOf(somebody)).map(({ name, hasWorkers }) => [name, hasWorkers])),
    )
    .toMatchObject({ "Dead letters": null, "orphan:1b": false, "served:1b": true });
  const workers = await somebody.get("/api/queues/served%3A1b/workers");
  expect(workers.json()).toMatchObject({ workers: [{ name: "box-1", addr: "gpu-1" }] });
});
