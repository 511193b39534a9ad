import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Clock } from "../clock.ts";
import { type Exchange, openExchange } from "./exchange.ts";

// Until the port that was given up is free again; somebody else may hold it for a moment.
const retryMs = 20;

/** The listening side of a server that may go down and come back on the same port. */
export class HttpFront {
  readonly #server: Server;
  readonly #host: string;
  readonly #open = new Set<Exchange>();
  #port = 0;
  #reopening: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(host: string, clock: Clock, handle: (exchange: Exchange) => Promise<void>) {
    this.#host = host;
    this.#server = createServer((request, response) => {
      const exchange = openExchange(request, response, clock.now());
      this.#open.add(exchange);
      void handle(exchange).finally(() => this.#open.delete(exchange));
    });
    // Ollama has no limits of its own: queueing, loading and idle connections last as long as they last.
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = 0;
  }

  /** Rejects with the system's error when the port is taken. */
  async open(port: number): Promise<number> {
    this.#server.listen(port, this.#host);
    await once(this.#server, "listening");
    const address = this.#server.address();
    this.#port = typeof address === "object" ? (address?.port ?? port) : port;
    return this.#port;
  }

  /** Cuts every connection; nothing listens until `downMs` have passed. */
  restart(downMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#reopening);
    this.#cut();
    this.#reopening = setTimeout(() => this.#reopen(), downMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#reopening);
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#cut();
    await closed;
  }

  #cut(): void {
    for (const exchange of this.#open) exchange.cutOff();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #reopen(): void {
    if (this.#closed) return;
    const retry = () => {
      this.#reopening = setTimeout(() => this.#reopen(), retryMs);
    };
    this.#server.once("error", retry);
    this.#server.listen(this.#port, this.#host, () => this.#server.off("error", retry));
  }
}
