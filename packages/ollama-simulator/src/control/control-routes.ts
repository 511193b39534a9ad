import { FaultSyntaxError, parseFaults } from "../faults/parse-faults.ts";
import { type Exchange, readBody, replyJson } from "../http/exchange.ts";
import { readStats } from "../read-stats.ts";
import type { World } from "../world.ts";

type Control = (world: World, exchange: Exchange) => void | Promise<void>;

export const controlPrefix = "/__simulator/";

/** What Ollama has not: the strings behind the scenery. Faults do not strike here. */
const controls: Record<string, Control> = {
  "GET /__simulator/stats": (world, exchange) => replyJson(exchange, 200, readStats(world)),
  "GET /__simulator/requests": listRequests,
  "DELETE /__simulator/requests": (world, exchange) => {
    world.log.clear();
    replyJson(exchange, 200, { requests: [] });
  },
  "GET /__simulator/faults": listFaults,
  "POST /__simulator/faults": addFaults,
  "DELETE /__simulator/faults": removeFaults,
  "POST /__simulator/reset": reset,
  "POST /__simulator/crash": crash,
};

export async function dispatchControl(world: World, exchange: Exchange): Promise<void> {
  const control = controls[`${exchange.request.method} ${exchange.path}`];
  if (control === undefined) {
    exchange.request.resume();
    replyJson(exchange, 404, { error: `no such control; there are ${Object.keys(controls).join(", ")}` });
    return;
  }
  try {
    await control(world, exchange);
  } catch (error) {
    if (!(error instanceof FaultSyntaxError || error instanceof SyntaxError)) throw error;
    replyJson(exchange, 400, { error: error.message });
  }
}

function listRequests(world: World, exchange: Exchange): void {
  const last = Number(query(exchange, "last") ?? world.settings.requestsKept);
  replyJson(exchange, 200, { requests: world.log.list(last > 0 ? last : world.settings.requestsKept) });
}

function listFaults(world: World, exchange: Exchange): void {
  replyJson(exchange, 200, { faults: world.faults.list() });
}

async function addFaults(world: World, exchange: Exchange): Promise<void> {
  world.faults.add(parseFaults(JSON.parse(await readBody(exchange))));
  listFaults(world, exchange);
}

/** All, or the one named by `?id=`. */
function removeFaults(world: World, exchange: Exchange): void {
  const id = query(exchange, "id");
  if (id === null) world.faults.clear();
  else if (!world.faults.remove(id)) return replyJson(exchange, 404, { error: `no fault "${id}"` });
  listFaults(world, exchange);
}

/** Counters at zero, no faults, no remembered requests; loaded models stay. */
function reset(world: World, exchange: Exchange): void {
  exchange.request.resume();
  world.counters.reset();
  world.faults.clear();
  world.log.clear();
  replyJson(exchange, 200, readStats(world));
}

async function crash(world: World, exchange: Exchange): Promise<void> {
  const text = await readBody(exchange);
  const body: unknown = text === "" ? {} : JSON.parse(text);
  const [fault] = parseFaults({ ...Object(body), kind: "crash" });
  exchange.response.once("finish", () =>
    world.crash({ downMs: fault?.down_ms ?? 0, exit: fault?.exit ?? false }),
  );
  replyJson(exchange, 202, { crashed: true });
}

function query({ request }: Exchange, name: string): string | null {
  return new URL(request.url ?? "/", "http://simulator").searchParams.get(name);
}
