import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type Answer = { readonly status: number; readonly body: string };

const headEnd = "\r\n\r\n";

/**
 * One keep-alive connection that sends a request and reads its answer, and nothing else: on a machine of two
 * cores a whole HTTP client would take from the server what is to be measured. Answers need a Content-Length.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #received = "";
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    // One byte per character, so that lengths are bytes.
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => this.#read(chunk));
    socket.on("error", (error) => this.#settle?.reject(error));
    socket.on("close", () => this.#settle?.reject(new Error("the server closed the connection")));
  }

  static async open(origin: string): Promise<HttpConnection> {
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    return new HttpConnection(socket);
  }

  /** @param request all of it, head and body */
  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#received += chunk;
    const end = this.#received.indexOf(headEnd);
    if (end < 0) return;
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, end + 2)) ?? [];
    if (length === undefined) {
      this.#socket.destroy(new Error(`an answer without Content-Length: ${this.#received.slice(0, end)}`));
      return;
    }
    const from = end + headEnd.length;
    if (this.#received.length < from + Number(length)) return;
    const answer = { status: Number(this.#received.slice(9, 12)), body: this.#received.slice(from) };
    this.#received = "";
    this.#settle?.resolve(answer);
  }
}
