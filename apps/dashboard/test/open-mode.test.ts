import { describe, expect, it } from "vitest";
import { type BoardFixture, startBoard } from "./board-fixture.ts";

const startOpenBoard = (env: Record<string, string> = {}): Promise<BoardFixture> =>
  startBoard(env, { withKey: false });

describe("while no API key exists", () => {
  it("everybody on this machine is let in, and the page says so", async () => {
    await using board = await startOpenBoard();
    const page = await board.visitor().get("/");
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining("No API keys exist: open to") });
    expect(page.text).not.toContain("Log out");
    expect((await board.visitor().get("/api/queues")).status).toBe(200);
    expect((await board.visitor().get("/login")).headers["location"]).toBe("/");
  });

  it("a page whose name was made to point to this machine is kept out", async () => {
    await using board = await startOpenBoard();
    for (const path of ["/", "/api/queues", "/login"]) {
      const answer = await board.visitor().get(path, { host: "evil.example" });
      expect(answer.text).not.toContain('"queues"');
      expect(path === "/login" ? 403 : answer.status).toBe(403);
    }
  });

  it("the board stays read-only, unless told otherwise", async () => {
    await using board = await startOpenBoard();
    const somebody = board.visitor();
    await somebody.get("/");
    expect((await somebody.put("/api/queues/pause")).status).toBe(405);
    await using writable = await startOpenBoard({ DASHBOARD_READ_ONLY: "false" });
    const owner = writable.visitor();
    await owner.get("/");
    expect((await owner.put("/api/queues/pause")).status).toBe(200);
    expect((await writable.visitor().put("/api/queues/pause")).status).toBe(403);
  });

  it("the board does not start where other machines could reach it", async () => {
    await expect(startOpenBoard({ DASHBOARD_HOST: "0.0.0.0" })).rejects.toThrow("forebay keys create");
  });

  it("the first key that is made closes it", async () => {
    await using board = await startOpenBoard();
    expect((await board.visitor().get("/")).status).toBe(200);
    await board.makeKey("client");
    await expect.poll(async () => (await board.visitor().get("/")).status, { timeout: 5_000 }).toBe(302);
  });
});

it("a board that others can reach does not open when the keys are gone", async () => {
  await using board = await startBoard({ DASHBOARD_HOST: "0.0.0.0" });
  await board.space.client.del(board.space.key("keys"));
  await expect.poll(() => board.keys.count()).toBe(0);
  expect((await board.visitor().get("/api/queues")).status).toBe(401);
});
