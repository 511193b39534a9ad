import { readDeadLetter, readJob } from "@forebay/queue-bullmq";
import { createJobId } from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createDlqFixture, type DlqFixture, model, otherModel } from "./dlq-fixture.ts";

let fixture: DlqFixture;
beforeEach(async () => {
  fixture = await createDlqFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const counts = { matched: 0, changed: 0, skipped: 0, invalid: 0, missing: 0, failed: 0 };
const stateOf = async (id: string) => (await readDeadLetter(fixture.space, id))?.state;

test("a redrive is done when it is answered, and audited", async () => {
  const [id = "", other = ""] = await fixture.deadLetters(2);
  const dry = await fixture.call("operator", "POST", "/dlq/redrive", { ids: [id], dry_run: true });
  expect([dry.status, dry.body]).toEqual([
    200,
    {
      dry_run: true,
      action: "redrive",
      counts: { ...counts, matched: 1, changed: 1 },
      sample: [id],
      complete: true,
    },
  ]);
  expect(await stateOf(id)).toBe("dead");

  const done = await fixture.call("operator", "POST", "/dlq/redrive", { ids: [id] });
  expect(done.status).toBe(200);
  expect(done.body).toMatchObject({
    action: "redrive",
    state: "completed",
    counts: { ...counts, matched: 1, changed: 1 },
    actor: { kind: "key", tenant: "ops", role: "operator" },
  });
  expect(await stateOf(id)).toBe("redriven");
  expect(await stateOf(other)).toBe("dead");
  expect(await readJob(fixture.space, fixture.directory, id)).toMatchObject({ state: "waiting" });

  const action = await fixture.call("operator", "GET", `/dlq/actions/${String(done.body["action_id"])}`);
  expect(action.body).toEqual(done.body);
  const audit = await fixture.call("operator", "GET", "/dlq/audit");
  expect(audit.body).toMatchObject({
    entries: [{ action_id: done.body["action_id"], action: "redrive", ids: [id], counts: { changed: 1 } }],
    next_cursor: null,
  });
});

test("a patch moves a job to another model, its context rounded up like any job's", async () => {
  const [id = ""] = await fixture.deadLetters(1);
  const patch = { model: otherModel, options: { num_ctx: 3_000 } };
  const done = await fixture.call("admin", "POST", "/dlq/redrive", { filter: {}, patch });
  expect([done.status, done.body["counts"]]).toEqual([200, { ...counts, matched: 1, changed: 1 }]);
  const job = await readJob(fixture.space, fixture.directory, id);
  expect(job?.queueName).toBe(
    await fixture.directory.ensure({ model: otherModel, runner: { num_ctx: 4_096 } }),
  );
  const view = await fixture.call("client", "GET", `/jobs/${id}`);
  expect(view.body).toMatchObject({ state: "waiting", model: otherModel });
});

test("park, drop and erase do what they say", async () => {
  const [first = "", second = "", third = ""] = await fixture.deadLetters(3);
  const parked = await fixture.call("operator", "POST", "/dlq/park", { ids: [first] });
  expect(parked.body).toMatchObject({ action: "park", counts: { changed: 1 } });
  const dry = await fixture.call("operator", "DELETE", "/dlq", { filter: { tenant: "acme" }, dry_run: true });
  expect(dry.body).toMatchObject({ action: "drop", counts: { matched: 2, changed: 2 } });
  const dropped = await fixture.call("operator", "DELETE", "/dlq", { ids: [first, second] });
  expect(dropped.body).toMatchObject({ action: "drop", counts: { changed: 2 } });
  const erased = await fixture.call("operator", "DELETE", "/dlq", { ids: [third], erase: true });
  expect(erased.body).toMatchObject({ action: "erase", counts: { changed: 1 } });
  expect([await stateOf(first), await stateOf(second), await stateOf(third)]).toEqual([
    "dropped",
    "dropped",
    undefined,
  ]);
});

test("a dry run says what would be skipped, missing or unreadable, and by which filter", async () => {
  const [parked = "", dead = ""] = await fixture.deadLetters(2);
  await fixture.call("operator", "POST", "/dlq/park", { ids: [parked] });
  const ids = [parked, dead, createJobId("00000000")];
  const park = await fixture.call("operator", "POST", "/dlq/park", { ids, dry_run: true });
  expect(park.body).toMatchObject({
    counts: { ...counts, matched: 3, changed: 1, skipped: 1, missing: 1 },
    sample: [dead],
  });
  const parkedOnly = { filter: { state: "parked" }, dry_run: true };
  const redrive = await fixture.call("operator", "POST", "/dlq/redrive", parkedOnly);
  expect(redrive.body).toMatchObject({ counts: { ...counts, matched: 1, changed: 1 }, sample: [parked] });
});

test("an action asked for while dlq-handler is away is accepted, and done when it is back", async () => {
  const [id = ""] = await fixture.deadLetters(1);
  await fixture.handler.kill("SIGKILL");
  const accepted = await fixture.call("operator", "POST", "/dlq/park", { ids: [id] });
  expect(accepted.status).toBe(202);
  const path = accepted.headers.get("location") ?? "";
  expect(path).toBe(`/dlq/actions/${String(accepted.body["action_id"])}`);
  expect((await fixture.call("operator", "GET", path)).body).toMatchObject({
    state: "waiting",
    counts,
    finished_at: null,
  });
  await fixture.startHandler();
  await waitFor(async () => (await fixture.call("operator", "GET", path)).body["state"] === "completed", {
    what: "the action is done",
    timeoutMs: 20_000,
  });
  expect(await stateOf(id)).toBe("parked");
});

test("a job its owner deletes takes its dead letter along, also after the job has aged out", async () => {
  const [id = "", aged = ""] = await fixture.deadLetters(2);
  expect((await fixture.call("client", "DELETE", `/jobs/${id}`)).status).toBe(204);
  const queueName = await fixture.directory.ensure({ model, runner: {} });
  await fixture.space.queue(queueName).remove(aged);
  expect((await fixture.call("client", "DELETE", `/jobs/${aged}`)).status).toBe(204);
  await waitFor(async () => (await stateOf(id)) === undefined && (await stateOf(aged)) === undefined, {
    what: "both letters are gone",
  });
  expect((await fixture.call("client", "DELETE", `/jobs/${aged}`)).status).toBe(404);
});

test("another tenant's dead letter is not erased by deleting a job", async () => {
  const [id = ""] = await fixture.deadLetters(1, { tenant: "globex" });
  expect((await fixture.call("client", "DELETE", `/jobs/${id}`)).status).toBe(404);
  const queueName = await fixture.directory.ensure({ model, runner: {} });
  await fixture.space.queue(queueName).remove(id);
  expect((await fixture.call("client", "DELETE", `/jobs/${id}`)).status).toBe(404);
  expect(await stateOf(id)).toBe("dead");
});
