import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { httpUrl } from "./http-url.ts";
import { PortInUseError } from "./port-in-use-error.ts";

export interface HttpServer extends AsyncDisposable {
  /** With the real port, also when 0 was asked for. */
  url: string;
  port: number;
  server: Server;
}

export interface HttpServerOptions {
  host: string;
  port: number;
  /** The environment variable that chooses the port; named when the port is taken. */
  portVariable?: string | undefined;
  fetch: (request: Request) => Response | Promise<Response>;
  /** Sees every request first; true: it answers this one itself, on Node's own objects. */
  intercept?: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;
  /** Answers a request whose address or Host header is so malformed that `fetch` never sees it. */
  errorHandler?: () => Response;
  /** How long disposing waits for requests under way before it cuts them off. Default 10 s. */
  drainMs?: number;
}

/**
 * Listens, and resolves once connections are accepted. Disposing takes no more connections, lets requests
 * under way end, and cuts off what is left after `drainMs`.
 *
 * @throws {PortInUseError}
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, portVariable } = options;
  const { errorHandler, intercept } = options;
  const listener = getRequestListener(options.fetch, errorHandler ? { errorHandler } : {});
  const server = createServer((incoming, outgoing) => {
    if (!intercept?.(incoming, outgoing)) void listener(incoming, outgoing);
  });
  // Closing a server leaves connections that turn idle later open for the keep-alive time (5 s).
  server.on("request", (_request, response: ServerResponse) => {
    response.once("close", () => {
      if (!server.listening) server.closeIdleConnections();
    });
  });
  const listening = once(server, "listening");
  server.listen(port, host);
  try {
    await listening;
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    throw taken ? new PortInUseError({ host, port, portVariable }, { cause: error }) : error;
  }
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: httpUrl({ host, port: actual }),
    port: actual,
    server,
    [Symbol.asyncDispose]: () => closeServer(server, options.drainMs ?? 10_000),
  };
}

async function closeServer(server: Server, drainMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  const cutOff = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(cutOff);
}
