// The readers' process: thousands of connections, and as little work for each as can be.
import { connect, type Socket } from "node:net";
import { answerCalls } from "./child-calls.ts";
import { sharedNowMs } from "../shared-clock.ts";
import { countTokens, tokenDelays } from "./clock-token.ts";

type Target = { origin: string; paths: string[]; headers: Record<string, string> };
export type StreamCounts = { readonly tokens: number; readonly bytes: number; readonly ended: number };

let counts = { tokens: 0, bytes: 0, ended: 0 };
let delays: number[] = [];
/** Delays of one chunk in so many are noted. */
let sampleEvery = 0;
let chunks = 0;
const sockets = new Set<Socket>();

/** Opens GETs that stay open; resolves when each is `connected`, or has got its first bytes. */
async function open({ origin, paths, headers }: Target, until: "connected" | "begun"): Promise<void> {
  const { hostname, port, host } = new URL(origin);
  const lines = Object.entries({ ...headers, host }).map(([name, value]) => `${name}: ${value}\r\n`);
  // So many at a time: nobody's listen queue holds thousands.
  for (let from = 0; from < paths.length; from += 200) {
    const batch = paths.slice(from, from + 200).map((path) => {
      const socket = connect(Number(port), hostname);
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
      return listen(socket, until);
    });
    await Promise.all(batch);
  }
}

function listen(socket: Socket, until: "connected" | "begun"): Promise<void> {
  return new Promise((resolve, reject) => {
    if (until === "connected") socket.on("connect", resolve);
    socket.on("error", reject);
    socket.on("close", () => {
      sockets.delete(socket);
      counts.ended++;
      resolve();
    });
    socket.on("data", (chunk: Buffer) => {
      resolve();
      counts.bytes += chunk.length;
      counts.tokens += countTokens(chunk);
      if (sampleEvery > 0 && chunks++ % sampleEvery === 0) {
        delays.push(...tokenDelays(chunk.toString("latin1"), sharedNowMs()));
      }
      if (chunk.includes("\r\n0\r\n\r\n")) socket.end();
    });
  });
}

answerCalls({
  open,
  sample(every: number) {
    sampleEvery = every;
    delays = [];
  },
  read: () => counts,
  delays: () => delays,
  close() {
    for (const socket of sockets) socket.destroy();
    counts = { tokens: 0, bytes: 0, ended: 0 };
  },
});
