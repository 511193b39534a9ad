// An Ollama that answers at once, as a process of its own: what is measured is everything around it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

const model = "bench:latest";
const text = "The sky is blue because air scatters short waves of light more than long ones.";
const timings = {
  total_duration: 2_000_000,
  load_duration: 100_000,
  prompt_eval_count: 40,
  prompt_eval_duration: 400_000,
  eval_count: 18,
  eval_duration: 1_500_000,
};
const created_at = new Date().toISOString();
const whole = { model, created_at, response: text, done: true, done_reason: "stop", ...timings };
const token = { model, created_at, response: text, done: false };
const wholeBody = JSON.stringify(whole);
const streamBody = `${JSON.stringify(token)}\n${JSON.stringify({ ...whole, response: "" })}\n`;
const lists: Record<string, unknown> = {
  "/api/version": { version: "0.30.7" },
  "/api/tags": { models: [{ name: model, model, size: 1, digest: "0".repeat(64), details: {} }] },
  "/api/ps": { models: [{ name: model, model, size: 1, digest: "0".repeat(64), details: {} }] },
};

/** When each generation arrived, by the clock that all processes of a machine share, in nanoseconds. */
let arrivals: bigint[] = [];
let waiting: { count: number; response: ServerResponse }[] = [];

function reply(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

async function generate(request: IncomingMessage, response: ServerResponse): Promise<void> {
  arrivals.push(process.hrtime.bigint());
  const reached = waiting.filter(({ count }) => arrivals.length >= count);
  waiting = waiting.filter((each) => !reached.includes(each));
  for (const each of reached) reply(each.response, "application/json", describeArrivals());
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const { stream } = JSON.parse(body) as { stream?: boolean };
  if (stream === false) reply(response, "application/json", wholeBody);
  else reply(response, "application/x-ndjson", streamBody);
}

const describeArrivals = (): string => JSON.stringify(arrivals.map(String));

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://ollama");
  if (pathname === "/api/generate") {
    void generate(request, response);
    return;
  }
  if (pathname === "/bench/arrivals") {
    // Answers once so many have arrived since the last reset.
    const count = Number(searchParams.get("count"));
    if (arrivals.length >= count) reply(response, "application/json", describeArrivals());
    else waiting.push({ count, response });
    return;
  }
  if (pathname === "/bench/reset") arrivals = [];
  reply(response, "application/json", JSON.stringify(lists[pathname] ?? {}));
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env["PORT"]), "127.0.0.1");
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
