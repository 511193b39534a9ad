import { createServer, request } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createKeyStore } from "@forebay/access-keys";
import { answerText, createClient, type ForebayClient } from "@forebay/client";
import { closeRedis, openQueueSpace, openRedis, waitForRedis } from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { type Browser, launchBrowser, noBrowser, openPage, type Page } from "@forebay/test-harness/browser";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createLiveStack, type LiveStack } from "./live-fixture.ts";

let live: LiveStack;
let url: string;
let client: ForebayClient;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { tokensPerS: 60, numParallel: 4 });
  const [api] = await Promise.all([live.startApi(), live.startWorker({ WORKER_CONCURRENCY: "4" })]);
  url = api.url;
  client = createClient({ baseUrl: url });
  await waitFor(async () => (await client.models()).length > 0, { what: "the models are known" });
});
afterAll(() => live[Symbol.asyncDispose]());

test("the page and all its files are served without a key, under a policy that lets nothing else in", async () => {
  const page = await fetch(`${url}/playground`);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const text = await page.text();
  expect(text).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
  const files = [...text.matchAll(/(?:src|href)="(playground\/[^"]+)"/g)].map(([, name]) => name);
  const modules = ["client/index.js", "client/sse-parser.js", "follow-job.js", "failures.json"];
  for (const path of ["playground", ...files, ...modules.map((name) => `playground/${name}`)]) {
    const answer = await fetch(`${url}/${path}`);
    expect(answer.status, path).toBe(200);
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const again = await fetch(`${url}/${path}`, {
      headers: { "if-none-match": answer.headers.get("etag") ?? "" },
    });
    expect(again.status, path).toBe(304);
  }
});

test("with a slash at its end it is the same page", async () => {
  expect((await fetch(`${url}/playground/`)).url).toBe(`${url}/playground`);
});

describe.skipIf(noBrowser !== undefined)(`in a real browser${noBrowser ? ` (${noBrowser})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  async function open(page: Page, hash = ""): Promise<void> {
    await page.goto(`${url}/playground${hash}`);
    await page.getByRole("option", { name: "llama3.2:3b" }).waitFor({ state: "attached" });
  }
  async function submit(page: Page, prompt: string, tokens: number): Promise<void> {
    await page.getByLabel("Model").selectOption("llama3.2:3b");
    await page.getByLabel("Prompt", { exact: true }).fill(prompt);
    await page.getByLabel("Max tokens").fill(String(tokens));
    await page.getByRole("button", { name: "Submit job" }).click();
  }
  const answerOn = async (page: Page): Promise<string> => (await page.locator("#answer").textContent()) ?? "";
  const stateOn = (page: Page, state: string) => page.locator(`#state[data-state=${state}]`).waitFor();
  /** The answer once everything there is of the job has been read. */
  async function wholeAnswer(page: Page): Promise<string> {
    await page.locator("#answer[aria-busy=false]").waitFor({ state: "attached" });
    return answerOn(page);
  }
  const idOn = (page: Page): string => new URL(page.url()).hash.slice(1);
  const grown = (page: Page, length: number): Promise<unknown> =>
    expect.poll(async () => (await answerOn(page)).length, { timeout: 20_000 }).toBeGreaterThan(length);

  test("an answer is watched while it is made, and is the job's in the end", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    await open(page);
    await page.getByLabel("System prompt").fill("Be brief.");
    await page.getByLabel("Lane").selectOption("interactive");
    await page.getByLabel("Temperature").fill("0.2");
    await submit(page, "Why is the sky blue?", 120);
    await stateOn(page, "active");
    await grown(page, 50);
    await page.getByText("Tokens/s").waitFor();
    await stateOn(page, "completed");
    const job = await client.get(idOn(page));
    expect(job).toMatchObject({ lane: "interactive", state: "completed" });
    expect(await wholeAnswer(page)).toBe(answerText(job.result));
    expect(await page.locator("#timeline").textContent()).toMatch(/waiting.*active on gpu-1.*completed/s);
    expect(await page.locator("#figures").textContent()).toContain("Tokens120");
    expect(live.simulator.requests().at(-1)?.body).toMatchObject({
      system: "Be brief.",
      options: { temperature: 0.2, num_predict: 120 },
    });
    expect(watched.foreign).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  test("reloaded in the middle of an answer, the page goes on with it", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    await open(page);
    await submit(page, "A long story", 300);
    await grown(page, 100);
    const id = idOn(page);
    const before = await answerOn(page);
    await page.reload();
    await grown(page, before.length);
    expect((await answerOn(page)).startsWith(before)).toBe(true);
    expect((await client.get(id)).state).toBe("active");
    expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("A long story");
    await stateOn(page, "completed");
    expect(idOn(page)).toBe(id);
    expect(await wholeAnswer(page)).toBe(answerText((await client.get(id)).result));
    expect(watched.complaints).toEqual([]);
  });

  test("a network that goes away is told and waited for, and nothing is lost", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    // What the emulated network of the browser cuts off is not told to pages: a proxy that dies is.
    await using proxy = await startProxy(url);
    await page.goto(`${proxy.url}/queue/playground`);
    await page.getByRole("option", { name: "llama3.2:3b" }).waitFor({ state: "attached" });
    await submit(page, "Through a proxy", 300);
    await grown(page, 50);
    await proxy.cut();
    await page.getByText("Nothing is lost").waitFor();
    proxy.heal();
    await stateOn(page, "completed");
    expect(await wholeAnswer(page)).toBe(answerText((await client.get(idOn(page))).result));
    expect(await page.locator("#notice").isHidden()).toBe(true);
  });

  test("an answer that has to begin again is not shown twice", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    live.simulator.setFault({ kind: "reset", after_tokens: 8, times: 1, match_prompt: "break once" });
    await open(page);
    await submit(page, "break once", 40);
    await stateOn(page, "completed");
    expect(await wholeAnswer(page)).toBe(answerText((await client.get(idOn(page))).result));
    expect(await page.locator("#timeline").textContent()).toMatch(/active.*delayed.*active.*completed/s);
  });

  test("cancel stops it, what was written stays, and it can be run again", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    await open(page);
    await submit(page, "Stop me", 3_000);
    await grown(page, 30);
    await page.getByRole("button", { name: "Cancel" }).click();
    await stateOn(page, "cancelled");
    const id = idOn(page);
    expect((await client.get(id)).state).toBe("cancelled");
    expect((await answerOn(page)).length).toBeGreaterThan(30);
    expect(await page.getByRole("button", { name: "Cancel" }).isHidden()).toBe(true);
    await page.getByRole("button", { name: "Run again" }).click();
    await stateOn(page, "active");
    await grown(page, 30);
    await page.getByRole("button", { name: "Cancel" }).click();
    await stateOn(page, "cancelled");
    expect(watched.complaints).toEqual([]);
  });

  test("a job that fails says why and what to do", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    live.simulator.setFault({
      kind: "500",
      message: 'option "x" must be of type integer',
      match_prompt: "refuse",
      times: 1,
    });
    await open(page);
    await submit(page, "refuse me", 10);
    const alert = page.getByRole("alert").filter({ hasText: "The job failed" });
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(
      /must be of type integer.*Correct the request.*invalid_request/s,
    );
  });

  test("a refusal says why and what to do, and the text stays", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    await open(page);
    await submit(page, "x".repeat(1_100_000), 10);
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/Shorten the prompt.*body_too_large, request req_/s);
    expect((await page.getByLabel("Prompt", { exact: true }).inputValue()).length).toBe(1_100_000);
    await open(page, "#j123");
    await page.getByText("This job cannot be shown").waitFor();
  });

  test("the jobs of the tab are listed, each at its own address", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    await open(page);
    await submit(page, "first", 5);
    await stateOn(page, "completed");
    const first = idOn(page);
    await page.getByLabel("Prompt", { exact: true }).fill("second");
    await page.getByLabel("Prompt", { exact: true }).press("Control+Enter");
    await expect.poll(() => idOn(page)).not.toBe(first);
    const list = page.getByRole("region", { name: "Jobs of this tab" });
    await expect
      .poll(() => list.getByRole("link").allTextContents())
      .toEqual(["secondcompleted", "firstcompleted"]);
    await list.getByRole("link", { name: "first" }).click();
    await expect.poll(() => idOn(page)).toBe(first);
    const answer = answerText((await client.get(first)).result);
    await expect.poll(() => answerOn(page)).toBe(answer);
  });

  test("text of a job is text, whatever it looks like", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await open(page);
    await submit(page, evil, 5);
    await stateOn(page, "completed");
    await page.getByRole("link", { name: evil.slice(0, 40) }).waitFor();
    // Even what got past that would be stopped by the policy.
    const insert = `document.body.insertAdjacentHTML("beforeend", "<b>markup</b>")`;
    const blocked = await page.evaluate(
      `(() => { try { ${insert}; return "" } catch (error) { return error.name } })()`,
    );
    expect(blocked).toBe("TypeError");
    expect(await page.title()).toBe("Forebay playground");
  });

  test.each([320, 390, 800])("nothing is wider than a screen of %d pixels", async (width) => {
    await using watched = await openPage(browser, url, { viewport: { width, height: 800 } });
    const { page } = watched;
    await open(page);
    await submit(page, "Why? ".repeat(40), 60);
    await stateOn(page, "completed");
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
  });

  // Last: from here on the server wants a key.
  test("where keys exist, a wrong one is told apart, and a right one opens the door", async () => {
    const key = await makeKey(live.env);
    await using watched = await openPage(browser, url);
    const { page } = watched;
    const openLocked = async (): Promise<void> => {
      await page.goto(`${url}/playground`);
      await page.getByLabel("API key").waitFor();
    };
    // That there are keys now is believed after a second.
    await waitFor(async () => (await fetch(`${url}/models`)).status === 401, { what: "a key is wanted" });
    await openLocked();
    expect(await page.getByRole("alert").allTextContents()).toEqual([]);
    await page.getByLabel("API key").fill("fbk_wrong");
    await page.getByRole("button", { name: "Use key" }).click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/This API key is not known.*forebay keys create/s);

    await page.getByLabel("API key").fill(key);
    await page.getByLabel("API key").press("Enter");
    await page.getByText("Using the key fbk_").waitFor();
    await submit(page, "with a key", 200);
    await grown(page, 20);
    await page.reload();
    await stateOn(page, "completed");
    const withKey = createClient({ baseUrl: url, apiKey: key });
    expect(await wholeAnswer(page)).toBe(answerText((await withKey.get(idOn(page))).result));
    expect(await page.content()).not.toContain(key);
    expect(page.url()).not.toContain(key);
    const kept = await page.evaluate("JSON.stringify([localStorage, document.cookie])");
    expect(kept).not.toContain(key);
    await page.getByRole("button", { name: "Forget it" }).click();
    await page.getByText("A key is needed.").waitFor();
    expect(await page.evaluate("JSON.stringify(sessionStorage)")).not.toContain(key);
    expect(watched.foreign).toEqual([]);
    // The browser notes every 401; nothing else is there to complain about.
    expect(watched.complaints.filter((text) => !text.includes("401"))).toEqual([]);
  });
});

async function makeKey(env: LiveStack["env"]): Promise<string> {
  const prefix = env["FOREBAY_KEY_PREFIX"] ?? "";
  const redis = openRedis({ url: env["REDIS_URL"] ?? "", prefix }, "producer", "test", () => undefined);
  await waitForRedis(redis, 5_000);
  try {
    const made = await createKeyStore(openQueueSpace(redis, prefix)).create({
      name: "ci",
      tenant: "default",
      role: "client",
    });
    return made.key;
  } finally {
    await closeRedis(redis);
  }
}

type CutProxy = AsyncDisposable & { url: string; cut(): Promise<void>; heal(): void };

/** Serves the API below `/queue`, until it is cut: then connections break and new ones are refused. */
async function startProxy(target: string): Promise<CutProxy> {
  let dead = false;
  const server = createServer((incoming, outgoing) => {
    if (dead) return outgoing.destroy();
    const path = incoming.url?.replace(/^\/queue/, "") ?? "/";
    const passed = request(
      target + path,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        outgoing.once("close", () => passed.destroy());
      },
    );
    passed.on("error", () => outgoing.destroy());
    return incoming.pipe(passed);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: async () => {
      dead = true;
      server.closeAllConnections();
    },
    heal: () => {
      dead = false;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
