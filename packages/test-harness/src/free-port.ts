import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

// Below the range from which systems take the ports of outgoing connections (Linux: 32768, elsewhere higher): what is
// free there now cannot be gone a moment later because somebody connected to somewhere.
const range = { from: 15_000, to: 32_000 };
const triesMax = 1_000;

/** Ports given out by this process. */
const given = new Set<number>();

/** A port nobody listens on now, never given twice by this process. Another process may still be quicker. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = randomInt(range.from, range.to);
    if (given.has(port)) continue;
    given.add(port);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No free port from ${range.from} to ${range.to}.`);
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
