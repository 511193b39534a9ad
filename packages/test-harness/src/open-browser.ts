import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

export type { Browser, Page } from "playwright-core";

const executablePath = process.env["FOREBAY_CHROMIUM"] ?? "/usr/bin/chromium";

/** Why tests in a browser cannot run here; undefined: they can. */
export const noBrowser = existsSync(executablePath)
  ? undefined
  : `no browser at ${executablePath}: install Chromium, or name one in FOREBAY_CHROMIUM`;

export function launchBrowser(): Promise<Browser> {
  const args =
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
    "--disable-component-update --disable-sync";
  return chromium.launch({ executablePath, args: args.split(" ") });
}

export type WatchedPage = {
  readonly page: Page;
  /** Addresses of requests to anywhere but the own server. */
  readonly foreign: string[];
  /** What the browser complained about: blocked styles and scripts, exceptions, failed loads. */
  readonly complaints: string[];
  /** Every answer's text, prompts included if there were any. */
  bodies(): Promise<string>;
};

/** A page in a context of its own, with everything noted that it asks for and says. */
export async function openPage(
  browser: Browser,
  ownUrl: string,
  options: BrowserContextOptions = {},
): Promise<AsyncDisposable & WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const [foreign, complaints, bodies] = [[] as string[], [] as string[], [] as Promise<string>[]];
  context.on("request", (request) => {
    const own = request.url().startsWith(`${ownUrl}/`) || request.url().startsWith("data:");
    if (!own) foreign.push(request.url());
  });
  // A redirect has no body, and a page that was left takes its bodies along.
  context.on("response", (response) => bodies.push(response.text().catch(() => "")));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return {
    page,
    foreign,
    complaints,
    bodies: async () => (await Promise.all(bodies)).join("\n"),
    [Symbol.asyncDispose]: () => context.close(),
  };
}
