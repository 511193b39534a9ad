import type { Fault } from "../faults/fault.ts";
import type { StruckFaults } from "../faults/fault-book.ts";
import { faultMessage, faultStatus } from "../faults/fault-message.ts";
import { createLoggedRequest, type LoggedRequest } from "../request-log.ts";
import type { World } from "../world.ts";
import { controlPrefix, dispatchControl } from "../control/control-routes.ts";
import { allowsHost } from "./allows-host.ts";
import { type Exchange, readBody, replyJson, replyText, resetConnection } from "./exchange.ts";
import { OllamaError } from "./ollama-error.ts";
import { parseGoJson } from "./parse-go-json.ts";
import { type Route, routes } from "./routes.ts";

/** One request from its first byte to its last. Never rejects. */
export async function dispatch(world: World, exchange: Exchange): Promise<void> {
  try {
    if (exchange.path.startsWith(controlPrefix)) return await dispatchControl(world, exchange);
    if (!allowsHost(world.settings.host, exchange.request.headers.host)) {
      exchange.request.resume();
      exchange.response.writeHead(403).end();
      return;
    }
    const methods = routes.get(exchange.path);
    const route = methods?.get(exchange.request.method ?? "");
    if (route === undefined) {
      exchange.request.resume();
      replyText(
        exchange,
        methods === undefined ? 404 : 405,
        methods === undefined ? "404 page not found" : "405 method not allowed",
      );
      return;
    }
    await serve(world, exchange, route);
  } catch (error) {
    fail(exchange, error);
  }
}

async function serve(world: World, exchange: Exchange, route: Route): Promise<void> {
  const text = await readBody(exchange);
  const logged = createLoggedRequest(exchange.request.method ?? "", exchange.path, peek(text));
  const inference = route.kind === "inference";
  const faults = world.faults.strike({ ...logged, inference });
  logged.faults = faults.all.map(({ kind }) => kind);
  if (route.kind === "inference") {
    await track(
      world,
      exchange,
      logged,
      () => route.handle(world, exchange, parseGoJson(text), faults),
      faults,
    );
  } else if (!(await strikeOnArrival(world, exchange, faults))) {
    await route.handle(world, exchange, text === "" ? undefined : parseGoJson(text));
  }
}

async function track(
  world: World,
  exchange: Exchange,
  logged: LoggedRequest,
  run: () => Promise<"completed" | "failed">,
  faults: StruckFaults,
): Promise<void> {
  const model = world.models.find(logged.model)?.name;
  world.log.add(logged);
  world.counters.add("requests", model);
  let outcome: "completed" | "failed" | "aborted";
  try {
    outcome = (await strikeOnArrival(world, exchange, faults)) ? "failed" : await run();
  } catch (error) {
    outcome = exchange.signal.aborted ? "aborted" : "failed";
    fail(exchange, error);
  }
  logged.outcome = outcome;
  world.counters.add(outcome, model);
}

/** Faults that strike before the request is even looked at. */
async function strikeOnArrival(world: World, exchange: Exchange, faults: StruckFaults): Promise<boolean> {
  const fault = faults.all.find((candidate) => strikesOnArrival(candidate));
  if (fault === undefined) return false;
  if (fault.kind === "refuse") resetConnection(exchange);
  else if (fault.kind === "crash") world.crash({ downMs: fault.down_ms ?? 0, exit: fault.exit ?? false });
  else replyJson(exchange, faultStatus(fault), { error: faultMessage(fault) });
  return true;
}

function strikesOnArrival({ kind, after_tokens }: Fault): boolean {
  return kind === "refuse" || ((kind === "status" || kind === "crash") && after_tokens === undefined);
}

function fail(exchange: Exchange, error: unknown): void {
  if (exchange.signal.aborted) return;
  const status = error instanceof OllamaError ? error.status : 500;
  replyJson(exchange, status, { error: error instanceof Error ? error.message : String(error) });
}

/** The body as far as it is readable, for the log and the faults; its errors are the handler's. */
function peek(text: string): unknown {
  try {
    return parseGoJson(text);
  } catch {
    return undefined;
  }
}
