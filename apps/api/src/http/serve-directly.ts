import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller } from "../auth/caller.ts";
import type { ApiEvents } from "../events.ts";
import { problemOf, tellProblem } from "./answer-error.ts";
import type { Endpoint, Reply } from "./endpoint.ts";
import { problemReply } from "./problem.ts";
import type { RequestIds } from "./request-id.ts";

/** Where an endpoint is served: exactly there, or with one segment more, its `:id`. */
export type DirectRoute = {
  readonly method: "GET" | "POST";
  readonly route: `/${string}`;
  readonly endpoint: Endpoint;
};

type Deps = {
  readonly identify: (incoming: IncomingMessage) => Promise<Caller>;
  readonly events: ApiEvents;
  readonly requestIds: RequestIds;
};

/** Answers a request if it is for one of the routes; false: it is for somebody else. */
export type Interceptor = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/**
 * Serves the busiest routes on Node's own request and response. A framework's Request, Response, headers and
 * chain of middleware cost as much again as such a short request; what they would have done for it is here, and
 * the same endpoints stand among the app's routes, for every spelling of a request that is not plain.
 */
export function serveDirectly(routes: readonly DirectRoute[], deps: Deps): Interceptor {
  const exact = new Map(routes.map((each) => [`${each.method} ${each.route}`, each]));
  return (incoming, outgoing) => {
    const { method = "", url = "" } = incoming;
    const pathEnd = url.indexOf("?");
    const path = pathEnd === -1 ? url : url.slice(0, pathEnd);
    // What is escaped, or names a host, the app's router understands.
    if (path.includes("%") || !path.startsWith("/")) return false;
    const idStart = path.indexOf("/", 1) + 1;
    const id = idStart === 0 ? "" : path.slice(idStart);
    const route = exact.get(`${method} ${idStart === 0 ? path : `${path.slice(0, idStart)}:id`}`);
    if (!route || id.includes("/") || (idStart !== 0 && id === "")) return false;
    void answer(route, { incoming, outgoing, url, id }, deps);
    return true;
  };
}

async function answer(
  { method, route, endpoint }: DirectRoute,
  call: { incoming: IncomingMessage; outgoing: ServerResponse; url: string; id: string },
  { identify, events, requestIds }: Deps,
): Promise<void> {
  const startedAt = performance.now();
  const { incoming, outgoing } = call;
  const requestId = requestIds(incoming.headers["x-request-id"]?.toString());
  const request = { requestId, method, route };
  let reply: Reply;
  try {
    reply = await endpoint({ ...call, caller: await identify(incoming) });
  } catch (error) {
    const problem = problemOf(error);
    tellProblem(events, problem, error, request);
    reply = problemReply(problem, requestId);
  }
  send(outgoing, reply, requestId);
  if (!incoming.complete) drain(incoming);
  events.requestServed(request, reply.status, (performance.now() - startedAt) / 1_000);
}

function send(outgoing: ServerResponse, { status, headers, body }: Reply, requestId: string): void {
  const length = body === null ? {} : { "content-length": Buffer.byteLength(body) };
  outgoing.writeHead(status, { ...headers, ...length, "x-request-id": requestId });
  outgoing.end(body);
}

const drainMs = 500;

/**
 * Reads on what a client still sends of a body that was refused: a connection that is closed on it loses the
 * answer too. Who has not finished soon is cut off.
 */
function drain(incoming: IncomingMessage): void {
  const cutOff = setTimeout(() => incoming.socket.destroySoon(), drainMs);
  incoming.once("close", () => clearTimeout(cutOff));
  incoming.once("end", () => clearTimeout(cutOff));
  incoming.resume();
}
