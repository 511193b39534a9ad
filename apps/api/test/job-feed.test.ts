import { type LiveListener, readJob } from "@forebay/queue-bullmq";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type FeedSink, openJobFeed } from "../src/routes/jobs/events/job-feed.ts";
import { type ApiFixture, createApiFixture } from "./api-fixture.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
});
afterAll(() => api[Symbol.asyncDispose]());

test("a feed that is open has delivered what was there, also when something happens while it opens", async () => {
  const { body } = await api.submit();
  const job = await readJob(api.space, api.directory, body.job_id);
  if (!job) throw new Error("no job");
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  const sink: FeedSink = {
    accepted: tell("accepted"),
    entries: tell("entries"),
    ended: tell("ended"),
    lost: tell("lost"),
    stalled: tell("stalled"),
    broken: tell("broken"),
    flowing: () => true,
    drained: async () => true,
  };
  const hub = {
    size: 0,
    async watch(_id: string, listener: LiveListener) {
      listener.onChange();
      listener.onEntries([{ seq: 2, follows: 1, event: "state", data: "{}" }]);
      return { stop: () => undefined };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const feed = await openJobFeed({ space: api.space, directory: api.directory, hub }, job, 0, sink);
  feed.stop();
  expect(told).toEqual(["accepted"]);
});
