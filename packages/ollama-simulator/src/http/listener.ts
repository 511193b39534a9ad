import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

// Until the port that was given up is free again; somebody else may hold it for a moment.
const retryMs = 20;

/** The listening side of a server that may go down and come back on the same port. */
export class Listener {
  readonly #server: Server;
  readonly #host: string;
  #port = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
  }

  async open(port: number): Promise<number> {
    this.#server.listen(port, this.#host);
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
    return this.#port;
  }

  /** Cuts every connection; nothing listens until `downMs` have passed. */
  restart(downMs: number): void {
    clearTimeout(this.#retry);
    this.#server.close();
    this.#server.closeAllConnections();
    this.#retry = setTimeout(() => this.#reopen(), downMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #reopen(): void {
    if (this.#closed) return;
    this.#server.once("error", () => {
      this.#retry = setTimeout(() => this.#reopen(), retryMs);
    });
    this.#server.listen(this.#port, this.#host, () => this.#server.removeAllListeners("error"));
  }
}
