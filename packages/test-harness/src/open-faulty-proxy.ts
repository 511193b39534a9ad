import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { waitFor } from "./wait-for.ts";

/** What goes wrong with a request that holds a text. */
type Fault =
  /** It is done, and the connection breaks before its answer comes back. */
  | "lose_answer"
  /** It is done and answered to nobody, and nothing more gets through on that connection. */
  | "stall";

export interface FaultyProxy extends AsyncDisposable {
  /** What is behind it, by the proxy's address. */
  readonly url: string;
  /** The next `times` requests that hold the text meet the fault. */
  fail(text: string, fault: Fault, times?: number): void;
  /** Resolves when all requests that were to fail have failed. */
  failed(): Promise<void>;
}

/** A TCP connection to a server (a Redis, by its URL) that goes wrong when told to, and after a chosen request. */
export async function openFaultyProxy(targetUrl: string): Promise<FaultyProxy> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let plan = { text: "", fault: "stall" as Fault, times: 0 };

  /** Whether this chunk is to fail; counted. */
  const strikes = (chunk: Buffer): boolean => {
    if (plan.times === 0 || !chunk.includes(plan.text)) return false;
    plan.times--;
    return true;
  };
  const join = (client: Socket): void => {
    const server = connect(Number(target.port), target.hostname);
    let stalled = false;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (chunk) => {
      if (stalled) return;
      server.write(chunk);
      if (!strikes(chunk)) return;
      stalled = true;
      // Its answer, or the first part of it, says that the server has got so far.
      if (plan.fault === "lose_answer") server.once("data", () => server.destroy());
    });
    server.on("data", (chunk) => {
      if (!stalled) client.write(chunk);
    });
  };

  const proxy = createServer(join);
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `${target.protocol}//127.0.0.1:${port}`,
    fail(text, fault, times = 1) {
      plan = { text, fault, times };
    },
    failed: async () =>
      void (await waitFor(() => plan.times === 0, {
        what: `a request holds ${plan.text}`,
        timeoutMs: 20_000,
      })),
    async [Symbol.asyncDispose]() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      if (proxy.listening) await once(proxy, "close");
    },
  };
}
