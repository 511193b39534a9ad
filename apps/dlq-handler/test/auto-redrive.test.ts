import { readAudit } from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture } from "./dlq-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const policy = { DLQ_AUTO_REDRIVE: "backend_reset:2@1s" };
const reset = { request: { prompt: "fail backend_reset it broke" } };
const memory = { request: { prompt: "fail out_of_memory needs 12 GiB" } };

test("a code with a rule is redriven as often as the rule says, by itself, and then left for a person", async () => {
  await Promise.all([fixture.startHandler(policy), fixture.startHandler(policy)]);
  await fixture.openWorker();
  const [id, other] = [await fixture.submit(reset), await fixture.submit(memory)];
  const given = await fixture.letterWith(id, { state: "dead", redrives: 2 });
  expect(given.attempts).toHaveLength(3);
  expect(await fixture.letterWith(other, { state: "dead" })).toMatchObject({ redrives: 0 });
  const audited = await waitFor(
    async () => {
      const { entries } = await readAudit(fixture.space, { limit: 10 });
      return entries.filter(({ counts }) => counts.changed > 0).length === 2 ? entries : undefined;
    },
    { what: "both redrives are audited" },
  );
  expect(audited[0]).toMatchObject({
    action: "redrive",
    actor: { kind: "policy", rule: "backend_reset:2@1s" },
    ids: [id],
  });
  // Nothing is due any more: what comes later finds it as it is.
  const next = await fixture.submit(reset);
  await fixture.letterWith(next, { state: "dead", redrives: 2 });
  expect(await fixture.letter(id)).toMatchObject({ state: "dead", redrives: 2 });
});

test("a redrive that fell due while no handler ran is made up for", async () => {
  const first = await fixture.startHandler({ DLQ_AUTO_REDRIVE: "backend_reset:1@2s" });
  const [id = ""] = await fixture.failJobs(1, reset);
  await fixture.letterWith(id, { state: "dead" });
  await first.kill("SIGKILL");
  await fixture.startHandler({ DLQ_AUTO_REDRIVE: "backend_reset:1@2s" });
  await fixture.letterWith(id, { state: "redriven", redrives: 1 });
});

test("a letter a person parked is not redriven by the policy", async () => {
  await fixture.startHandler(policy);
  const [id = "", other = ""] = await fixture.failJobs(2, reset);
  await fixture.letterWith(id, { state: "dead" });
  await fixture.command({ action: "park", target: { ids: [id] } });
  await fixture.letterWith(other, { state: "redriven" });
  expect(await fixture.letter(id)).toMatchObject({ state: "parked", redrives: 0 });
});

test("without a policy nothing is redriven", async () => {
  await fixture.startHandler();
  const [id = ""] = await fixture.failJobs(1, reset);
  await fixture.letterWith(id, { state: "dead" });
  expect(await fixture.space.client.keys(`${fixture.space.prefix}:*due`)).toEqual([]);
});
