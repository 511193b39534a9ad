import { once } from "node:events";
import { createServer } from "node:net";

// Ports given out by this process; the system may offer one again before its taker listens.
const given = new Set<number>();

/** A port nobody listens on now, never given twice by this process. Another process may still be quicker. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("A TCP server without a port.");
  if (given.has(address.port)) return freePort();
  given.add(address.port);
  return address.port;
}

/** Whether a server could listen there now. Throws if the reason against it is not that the port is taken. */
export async function isPortFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  const server = createServer();
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return false;
    throw error;
  }
  server.close();
  await once(server, "close");
  return true;
}
