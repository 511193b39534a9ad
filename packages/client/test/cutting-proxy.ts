import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * Forwards connections to the server at `url`, and cuts each off after as many bytes of answers as `bytesMax` says.
 * Readers are told to come back at once: the two seconds the server asks for are not what is tested with this.
 */
export async function startCuttingProxy(
  url: string,
  bytesMax: () => number,
): Promise<AsyncDisposable & { url: string; cuts: () => number }> {
  const { hostname, port } = new URL(url);
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    let left = bytesMax();
    upstream.on("data", (bytes: Buffer) => {
      const text = bytes.toString("latin1").replace("retry: 2000", "retry: 0001");
      client.write(text.slice(0, left), "latin1");
      left -= text.length;
      if (left >= 0) return;
      cuts++;
      upstream.removeAllListeners("data");
      client.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
