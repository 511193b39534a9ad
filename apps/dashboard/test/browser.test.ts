import {
  type Browser,
  launchBrowser,
  noBrowser,
  openPage,
  type WatchedPage,
} from "@forebay/test-harness/browser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BoardFixture, startBoard } from "./board-fixture.ts";
import { answerOf, type PutJob, putJob, runJobs } from "./put-job.ts";
import { startProxy } from "./reverse-proxy.ts";

const secret = "xyzzy-secret";

describe.skipIf(noBrowser !== undefined)(`in a real browser${noBrowser ? ` (${noBrowser})` : ""}`, () => {
  let opened: AsyncDisposableStack;
  let browser: Browser;
  let board: BoardFixture;
  let url: string;
  let done: PutJob;
  let failed: PutJob;

  beforeAll(async () => {
    opened = new AsyncDisposableStack();
    board = opened.use(await startBoard({ DASHBOARD_BASE_PATH: "/dashboard", DASHBOARD_READ_ONLY: "false" }));
    url = `${opened.use(await startProxy("/dashboard", board.port)).url}/dashboard`;
    done = await putJob(board.space, { prompt: `tell ${secret}` });
    failed = await putJob(board.space, { prompt: `fail ${secret}` });
    await runJobs(board.space, done.queueName, 2, (payload) =>
      payload.includes("fail")
        ? { kind: "discard", failure: { code: "context_too_long", message: secret } }
        : { kind: "completed", result: answerOf(secret) },
    );
    browser = await launchBrowser();
    opened.defer(() => browser.close());
  }, 60_000);
  afterAll(() => opened.disposeAsync());

  async function logIn({ page }: WatchedPage, role: "operator" | "admin"): Promise<void> {
    await page.goto(`${url}/`);
    await page.getByLabel("API key").fill((await board.makeKey(role)).key);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(`${url}/`);
  }

  /** From the start page to a job, the way a person goes. */
  async function openJob({ page }: WatchedPage, job: PutJob): Promise<void> {
    await page.getByRole("link", { name: job.title, exact: true }).first().click();
    await page.getByRole("link", { name: job.id }).first().click();
    await page.waitForURL(`${url}/queue/${encodeURIComponent(job.title)}/${job.id}`);
  }

  it("an operator logs in below the proxy's path, opens a queue and a job, and meets no prompt", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    await logIn(watched, "operator");
    await page.getByText("the-operator (operator) · prompts are hidden · read-only").waitFor();
    await openJob(watched, done);
    await page.getByText('"shown to admins only"').first().waitFor();
    await page.getByText("generate · acme · standard").waitFor();
    for (const tab of ["Progress", "Options", "Logs", "Error"])
      await page.getByText(tab, { exact: true }).click();
    await page.goto(`${url}/`);
    await openJob(watched, failed);
    await page.getByText(/context_too_long: The prompt does not fit/).waitFor();
    expect(await page.content()).not.toContain(secret);
    expect(await watched.bodies()).not.toContain(secret);
  });

  it("an admin sees the prompt and the answer", async () => {
    await using watched = await openPage(browser, url);
    await logIn(watched, "admin");
    await openJob(watched, done);
    await watched.page.getByText(`"tell ${secret}"`).waitFor();
    await watched.page.getByText(`"${secret}"`, { exact: true }).waitFor();
  });

  it("no page asks another host for anything, and none needs what the policy forbids", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    await logIn(watched, "admin");
    await page.getByRole("button").first().waitFor();
    for (const path of ["/", "/job-schedulers", `/queue/${encodeURIComponent(done.title)}?status=failed`]) {
      await page.goto(`${url}${path}`, { waitUntil: "networkidle" });
    }
    await page.goto(`${url}/`);
    await openJob(watched, failed);
    await page.getByText(secret).first().waitFor();
    await page.goto(`${url}/logout`);
    expect(watched.foreign).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it("a queue of a new model appears on the open page", async () => {
    await using watched = await openPage(browser, url);
    await logIn(watched, "operator");
    await watched.page.getByRole("link", { name: done.title, exact: true }).first().waitFor();
    await putJob(board.space, { model: "hf.co/owner/new.model:Q4_K_M" });
    const link = watched.page
      .getByRole("link", { name: "hf.co/owner/new.model:Q4_K_M", exact: true })
      .first();
    await link.click();
    await watched.page.getByText("generate · acme · standard").waitFor();
  });

  it("an admin puts failed jobs back with the board's own button", async () => {
    await using watched = await openPage(browser, url);
    const again = await putJob(board.space, { model: "again:1b" });
    await runJobs(board.space, again.queueName, 1, () => ({
      kind: "discard",
      failure: { code: "runner_crashed", message: "gone" },
    }));
    await logIn(watched, "admin");
    await watched.page.goto(`${url}/queue/${encodeURIComponent(again.title)}?status=failed`);
    await watched.page.getByRole("button", { name: "Retry all" }).click();
    await watched.page.getByRole("button", { name: "Confirm" }).click();
    await expect.poll(() => board.space.queue(again.queueName).getJobState(again.id)).toBe("prioritized");
  });

  it("who logs out is out, and a page left open leads to the login and back", async () => {
    await using watched = await openPage(browser, url);
    const { page } = watched;
    await logIn(watched, "operator");
    const here = `${url}/queue/${encodeURIComponent(done.title)}`;
    await page.goto(here);
    const other = await page.context().newPage();
    await other.goto(`${url}/`);
    await other.locator("header button[aria-haspopup=menu]").last().click();
    await other.getByText("Log out").click();
    await other.getByRole("button", { name: "Log out" }).click();
    await other.waitForURL(`${url}/login`);
    await page.waitForURL(`${url}/login?next=*`);
    await page.getByLabel("API key").fill((await board.makeKey("operator")).key);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(here);
  });
});
