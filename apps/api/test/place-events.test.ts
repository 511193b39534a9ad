import { expect, inject, test } from "vitest";
import { completes, createApiFixture } from "./api-fixture.ts";

type Frame = { id: string | undefined; event: string | undefined; data: Record<string, unknown> };

/** The events of one connection, until `last` says so. */
async function readFrames(url: string, last: (frame: Frame) => boolean): Promise<Frame[]> {
  const abort = new AbortController();
  const answer = await fetch(url, { signal: abort.signal });
  const frames: Frame[] = [];
  let text = "";
  try {
    for await (const chunk of (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const parts = text.split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(part)?.[1];
        const data = field("data");
        if (data === undefined) continue;
        const frame = { id: field("id"), event: field("event"), data: JSON.parse(data) as Frame["data"] };
        frames.push(frame);
        if (last(frame)) return frames;
      }
    }
  } finally {
    abort.abort();
  }
  return frames;
}

test("who follows a waiting job is told where it stands, beside the numbered events", async () => {
  await using api = await createApiFixture(inject("redisUrl"), { API_STREAM_HEARTBEAT_S: "0.05" });
  for (let job = 0; job < 5; job++) await api.submit();
  const { body } = await api.submit();
  const url = `${api.url}/jobs/${body.job_id}/events`;
  const [accepted, place] = await readFrames(url, ({ id }) => id === undefined);
  expect(accepted).toMatchObject({ id: "1", event: "state", data: { seq: 1, state: "waiting" } });
  expect(place).toMatchObject({
    id: undefined,
    event: "state",
    data: { state: "waiting", queue_position: 5 },
  });
  expect(place?.data["eta_s"]).toBeTypeOf("number");
  expect(place?.data["eta_range_s"]).toHaveLength(2);

  const rest = readFrames(url, ({ event }) => event === "completed");
  await api.consume(() => completes());
  const frames = await rest;
  const numbers = frames.filter(({ id }) => id !== undefined).map(({ id }) => Number(id));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  const active = frames.findIndex(({ data }) => data["state"] === "active");
  expect(frames.slice(active).every(({ id }) => id !== undefined)).toBe(true);
});
