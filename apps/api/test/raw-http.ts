import { once } from "node:events";
import { connect } from "node:net";

export type RawAnswer = { readonly status: number; readonly head: string; readonly body: string };

/**
 * Writes bytes to a server as they are, for requests fetch would not send, and reads one answer. Resolves when
 * the answer is complete or the server ends the connection.
 */
export async function sendRaw(url: string, ...parts: (string | Uint8Array)[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  let text = "";
  const done = new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (isComplete(text)) resolve();
    });
    socket.once("close", () => resolve());
    // Whoever refuses a request may close before it was sent in full.
    socket.on("error", () => resolve());
  });
  for (const part of parts) socket.write(part);
  await done;
  socket.destroy();
  const [head = "", body = ""] = text.split(/\r\n\r\n([\s\S]*)/);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body };
}

function isComplete(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  const length = /content-length: (\d+)/i.exec(text.slice(0, Math.max(0, end)))?.[1];
  return end !== -1 && length !== undefined && text.length >= end + 4 + Number(length);
}
