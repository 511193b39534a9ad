// An Ollama that streams tokens at a steady pace, each saying when it was made, as a process of its own. A prompt
// says how many: `<tokens> <tokens per second> <name>`. An answer that is not streamed comes when its last token would.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { answerCalls } from "../streams/child-calls.ts";
import { createClockToken } from "../streams/clock-token.ts";
import { sharedNowMs } from "../shared-clock.ts";

const model = "bench:latest";
const created_at = new Date().toISOString();
const lists: Record<string, unknown> = {
  "/api/version": { version: "0.30.7" },
  "/api/tags": { models: [{ name: model, model, size: 1, digest: "0".repeat(64), details: {} }] },
  "/api/ps": { models: [{ name: model, model, size: 1, digest: "0".repeat(64), details: {} }] },
};

type Times = { begun: number; ended?: number };
/** When each named call began and when its connection was closed. */
const calls = new Map<string, Times>();
let waiting: { name: string; what: keyof Times; resolve: (at: number) => void }[] = [];

function tell(name: string, what: keyof Times): void {
  const at = sharedNowMs();
  calls.set(name, { begun: at, ...calls.get(name), [what]: at });
  for (const each of waiting) if (each.name === name && each.what === what) each.resolve(at);
  waiting = waiting.filter((each) => each.name !== name || each.what !== what);
}

async function generate(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const asked = JSON.parse(body) as { prompt?: string; stream?: boolean; messages?: { content: string }[] };
  const prompt = asked.prompt ?? asked.messages?.at(-1)?.content ?? "";
  const said = (text: string): object =>
    asked.messages ? { message: { role: "assistant", content: text } } : { response: text };
  const [count = "1", perS = "100", name = ""] = prompt.split(" ");
  const total = Number(count);
  tell(name, "begun");
  response.once("close", () => tell(name, "ended"));
  if (asked.stream === false) {
    setTimeout(
      () => {
        const whole = { model, created_at, ...said("token ".repeat(total)), done: true, done_reason: "stop" };
        const text = JSON.stringify(whole);
        response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
        response.end(text);
      },
      ((total - 1) * 1_000) / Number(perS),
    );
    return;
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" });

  const startedAt = performance.now();
  let sent = 0;
  const send = (): void => {
    if (response.destroyed) return;
    const line = { model, created_at, ...said(createClockToken()), done: false };
    response.write(`${JSON.stringify(line)}\n`);
    if (++sent === total) return finish();
    setTimeout(send, Math.max(0, startedAt + (sent * 1_000) / Number(perS) - performance.now()));
  };
  const finish = (): void => {
    const timings = { total_duration: 1e9, prompt_eval_count: 9, eval_count: total, eval_duration: 1e9 };
    const done = { model, created_at, ...said(""), done: true, done_reason: "stop", ...timings };
    response.end(`${JSON.stringify(done)}\n`);
  };
  send();
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://ollama");
  if (pathname === "/api/generate" || pathname === "/api/chat") {
    void generate(request, response);
    return;
  }
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(lists[pathname] ?? {}));
});
server.keepAliveTimeout = 60_000;

answerCalls({
  listen: () =>
    new Promise<string>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
      });
    }),
  time(name: string, what: keyof Times) {
    const at = calls.get(name)?.[what];
    if (at !== undefined) return at;
    return new Promise<number>((resolve) => waiting.push({ name, what, resolve }));
  },
});
