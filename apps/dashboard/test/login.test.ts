import { waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BoardFixture, startBoard } from "./board-fixture.ts";

let board: BoardFixture;
beforeAll(async () => {
  board = await startBoard();
});
afterAll(() => board[Symbol.asyncDispose]());

const pages = ["/", "/queue/Dead%20letters", "/logout", "/static/js/anything.js", "/nothing-here"];
const calls = ["/api/queues", "/api/redis/stats", "/api/queues/Dead%20letters/j1/logs", "/api/nothing-here"];

describe("without a login", () => {
  it.each(pages)("the page %s leads to the login", async (path) => {
    const answer = await board.visitor().get(path);
    expect(answer.status).toBe(302);
    expect(answer.headers["location"]).toMatch(/^\/login/);
  });

  it.each(calls)("the board's call %s answers 401 and nothing else", async (path) => {
    const answer = await board.visitor().get(path);
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.json()).toEqual({ error: { key: "ERRORS.FORBIDDEN" }, code: "login_required" });
  });

  it("no change is possible", async () => {
    expect(await board.visitor().put("/api/queues/pause")).toMatchObject({ status: 401 });
  });

  it("an API key in a header is no login", async () => {
    const { key } = await board.makeKey("admin");
    const answer = await board.visitor().get("/api/queues", { authorization: `Bearer ${key}` });
    expect(answer.status).toBe(401);
  });
});

describe("the login", () => {
  it.each(["operator", "admin"] as const)("lets in a key of the role %s", async (role) => {
    const somebody = await board.loggedIn(role);
    expect(await somebody.get("/")).toMatchObject({ status: 200 });
    expect(await somebody.get("/api/queues")).toMatchObject({ status: 200 });
  });

  it("refuses a key of the role client, and says which roles it wants", async () => {
    const somebody = board.visitor();
    const answer = await somebody.logIn((await board.makeKey("client")).key);
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining("operator or admin") });
    expect(somebody.cookies.size).toBe(0);
  });

  it.each(["", "fbk_wrong", "x".repeat(9_000)])("refuses what is no key", async (key) => {
    const somebody = board.visitor();
    const answer = await somebody.logIn(key, {
      "sec-fetch-site": "same-origin",
      "x-forwarded-for": "192.0.2.1",
    });
    expect([401, 413]).toContain(answer.status);
    expect(somebody.cookies.size).toBe(0);
  });

  it("never shows the key that was typed again", async () => {
    const answer = await board.visitor().logIn("fbk_typed-in-vain");
    expect(answer.text).not.toContain("typed-in-vain");
  });

  it("gives a cookie that scripts and other sites do not get", async () => {
    const { key } = await board.makeKey("operator");
    const plain = await board.visitor().logIn(key);
    expect(plain.cookies[0]).toMatch(/^forebay_session=.*; HttpOnly; SameSite=Strict$/);
    expect(plain.cookies[0]).toContain("Max-Age=43200");
    const tls = { "sec-fetch-site": "same-origin", "x-forwarded-proto": "https" };
    expect((await board.visitor().logIn(key, tls)).cookies[0]).toContain("Secure");
  });

  it("leads to the page that was asked for, on this board only", async () => {
    const { key } = await board.makeKey("operator");
    const sent = await board.visitor().get("/queue/a%7Bb%7D?status=failed");
    const next = new URL(String(sent.headers["location"]), "http://board").searchParams.get("next") ?? "";
    expect((await board.visitor().post("/login", { key, next })).headers["location"]).toBe(
      "/queue/a%7Bb%7D?status=failed",
    );
    const elsewhere = await board.visitor().post("/login", { key, next: "//evil.example/" });
    expect(elsewhere.headers["location"]).toBe("/");
  });

  it.each([
    [{ "sec-fetch-site": "cross-site" }],
    [{ "sec-fetch-site": "same-site" }],
    [{ origin: "http://evil.example" }],
    [{ origin: "null" }],
    [{}],
  ])("refuses a form that another site sent (%j)", async (headers: Record<string, string>) => {
    const { key } = await board.makeKey("admin");
    const somebody = board.visitor();
    expect((await somebody.post("/login", { key }, headers)).status).toBe(403);
    expect(somebody.cookies.size).toBe(0);
  });

  it("takes a form with our own Origin from a browser that says no more", async () => {
    const { key } = await board.makeKey("operator");
    const answer = await board.visitor().post("/login", { key }, { origin: board.url });
    expect(answer.status).toBe(303);
  });

  it("makes an address wait that failed ten times, and no other", async () => {
    const { key } = await board.makeKey("operator");
    const from = (address: string) => ({ "sec-fetch-site": "same-origin", "x-forwarded-for": address });
    for (let i = 0; i < 10; i++) {
      expect((await board.visitor().logIn("fbk_guess", from("198.51.100.7"))).status).toBe(401);
    }
    const refused = await board.visitor().logIn(key, from("203.0.113.9, 198.51.100.7"));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await board.visitor().logIn(key, from("198.51.100.8"))).status).toBe(303);
  });
});

describe("a session", () => {
  it("does not hold with a changed cookie", async () => {
    const somebody = await board.loggedIn("operator");
    const [body = "", signature = ""] = (somebody.cookies.get("forebay_session") ?? "").split(".");
    const session = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
    const later = Buffer.from(JSON.stringify({ ...session, expiresAt: 9e15 })).toString("base64url");
    for (const forged of [`${later}.${signature}`, `${body}.`, body, "", ".", `${body}.${signature}x`]) {
      somebody.cookies.set("forebay_session", forged);
      expect((await somebody.get("/api/queues")).status).toBe(401);
    }
  });

  it("holds on another dashboard with the same secret, and on none with another", async () => {
    const secret = { DASHBOARD_SESSION_SECRET: "s".repeat(32), FOREBAY_KEY_PREFIX: board.space.prefix };
    await using first = await startBoard(secret);
    await using second = await startBoard(secret);
    const somebody = await first.loggedIn("operator");
    const moved = second.visitor();
    moved.cookies.set("forebay_session", somebody.cookies.get("forebay_session") ?? "");
    expect((await moved.get("/api/queues")).status).toBe(200);
    const stranger = board.visitor();
    stranger.cookies.set("forebay_session", somebody.cookies.get("forebay_session") ?? "");
    expect((await stranger.get("/api/queues")).status).toBe(401);
  });

  it.each(["disable", "rotate"] as const)("ends when its key is changed by %s", async (how) => {
    const { key, record } = await board.makeKey("operator");
    const somebody = board.visitor();
    await somebody.logIn(key);
    if (how === "disable") await board.keys.setDisabled(record.id, true);
    else await board.keys.rotate(record.id);
    await waitFor(async () => (await somebody.get("/api/queues")).status === 401, { what: "session ended" });
  });

  it("ends with the logout, for every copy of its cookie", async () => {
    const somebody = await board.loggedIn("operator");
    const copy = board.visitor();
    copy.cookies.set("forebay_session", somebody.cookies.get("forebay_session") ?? "");
    const page = await somebody.get("/logout");
    expect(page.text).toContain("the-operator");
    const csrf = /name="csrf" type="hidden" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
    const answer = await somebody.post("/logout", { csrf });
    expect(answer).toMatchObject({ status: 303, headers: { location: "/login" } });
    expect(somebody.cookies.has("forebay_session")).toBe(false);
    expect((await copy.get("/api/queues")).status).toBe(401);
  });

  it("is not ended by a form without its token, nor by a link", async () => {
    const somebody = await board.loggedIn("operator");
    expect((await somebody.post("/logout", { csrf: "guessed" })).status).toBe(403);
    await somebody.get("/logout");
    expect((await somebody.get("/api/queues")).status).toBe(200);
  });
});

it("every answer forbids to load, to frame and to keep", async () => {
  const somebody = await board.loggedIn("operator");
  for (const path of ["/login", "/", "/api/queues", "/assets/board.js", "/nothing-here"]) {
    const { headers } = await somebody.get(path);
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["content-security-policy"]).not.toMatch(/https?:|script-src[^;]*unsafe/);
    expect(headers).toMatchObject({ "x-frame-options": "DENY", "cache-control": "no-store" });
  }
});
