import { controlPrefix, dispatchControl } from "../control/control-routes.ts";
import { strikeOnArrival } from "../faults/strike-on-arrival.ts";
import { createLoggedRequest } from "../request-log.ts";
import type { World } from "../world.ts";
import { allowsHost } from "./allows-host.ts";
import { type Exchange, readBody, replyEmpty, replyText } from "./exchange.ts";
import { parseGoJson } from "./parse-go-json.ts";
import { replyFailure } from "./reply-error.ts";
import { findRoutes, type Route } from "./routes.ts";
import { trackInference } from "./track-inference.ts";

/** One request from its first byte to its last. Never rejects. */
export async function dispatch(world: World, exchange: Exchange): Promise<void> {
  try {
    if (exchange.path.startsWith(controlPrefix)) return await dispatchControl(world, exchange);
    if (!allowsHost(world.settings.host, exchange.request.headers.host)) return replyEmpty(exchange, 403);
    const methods = findRoutes(exchange.path);
    const route = methods?.get(exchange.request.method ?? "");
    if (route !== undefined) return await serve(world, exchange, route);
    exchange.request.resume();
    if (methods === undefined) replyText(exchange, 404, "404 page not found");
    else replyText(exchange, 405, "405 method not allowed");
  } catch (error) {
    replyFailure(exchange, error);
  }
}

async function serve(world: World, exchange: Exchange, route: Route): Promise<void> {
  const body = parseLater(await readBody(exchange));
  const logged = createLoggedRequest(exchange.request.method ?? "", exchange.path, body.readable);
  const inference = route.kind === "inference";
  const faults = world.faults.strike({ ...logged, inference });
  logged.faults = faults.all.map(({ kind }) => kind);
  if (route.kind === "inference") {
    await trackInference(world, exchange, logged, faults, () =>
      route.handle(world, exchange, body.parsed(), faults),
    );
  } else if (!(await strikeOnArrival(world, exchange, faults, inference))) {
    await route.handle(world, exchange, /GET|HEAD/.test(logged.method) ? undefined : body.parsed());
  }
}

/** The log and the faults take what is readable; what is wrong with the body is the handler's to say. */
function parseLater(text: string): { readable: unknown; parsed: () => unknown } {
  try {
    const value = parseGoJson(text);
    return { readable: value, parsed: () => value };
  } catch (error) {
    return {
      readable: undefined,
      parsed: () => {
        throw error;
      },
    };
  }
}
