// Writes jobs' logs as workers do, without an answer behind them: what is measured is what comes after it.
import { appendFenced, closeRedis, liveChannel, openQueueSpace, openRedis } from "@forebay/queue-bullmq";
import { answerCalls } from "./child-calls.ts";
import { createClockToken } from "./clock-token.ts";

type Place = { id: string; queueName: string };

const { REDIS_URL = "", PREFIX = "" } = process.env;
const client = openRedis({ url: REDIS_URL, prefix: PREFIX }, "consumer", "bench-writer", () => undefined);
const space = openQueueSpace(client, PREFIX);
const token = "bench";

answerCalls({
  /** Writes `tokensPerS` tokens a second to each job for `seconds`, 40 entries a second as a worker does. */
  async write(jobs: Place[], tokensPerS: number, seconds: number) {
    let written = 0;
    const entriesPerS = 40;
    const run = async ({ id, queueName }: Place, index: number): Promise<void> => {
      const key = space.jobKey(queueName, id);
      await client.set(`${key}:lock`, token);
      const job = { id, key, token, channel: liveChannel(space, id) };
      const startedAt = performance.now() + (index / jobs.length) * (1_000 / entriesPerS);
      let owed = 0;
      for (let entry = 0; entry < entriesPerS * seconds; entry++) {
        const wait = startedAt + (entry * 1_000) / entriesPerS - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        owed += tokensPerS / entriesPerS;
        const count = Math.floor(owed);
        owed -= count;
        const text = Array.from({ length: count }, createClockToken).join("");
        await appendFenced(client, job, { entries: [{ event: "token", data: { text } }], after: entry + 1 });
        written += count;
      }
      await client.del(`${key}:lock`);
    };
    await Promise.all(jobs.map(run));
    return written;
  },
  close: () => closeRedis(client),
});
