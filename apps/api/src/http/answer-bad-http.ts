import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { Problem, problemResponse } from "./problem.ts";

/** For a request whose address or Host header make no sense: it never becomes a request to the app. */
export function answerBadRequest(): Response {
  return problemResponse(
    new Problem("malformed_request", "The address or the Host header is malformed."),
    "-",
  );
}

/**
 * Answers what Node would answer bare: bytes that are no HTTP, and bodies announced as too large.
 *
 * @param bytesMaxOf how large the body of a request may be
 */
export function answerBadHttp(server: Server, bytesMaxOf: (incoming: IncomingMessage) => number): void {
  server.on("clientError", endWithProblem);
  server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // A client that asks before it sends a body that will be refused need not send it.
    if (!(Number(incoming.headers["content-length"]) > bytesMaxOf(incoming))) outgoing.writeContinue();
    server.emit("request", incoming, outgoing);
  });
}

const statusOf: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function endWithProblem(error: Error, socket: Duplex): void {
  const code = "code" in error ? String(error.code) : "";
  if (!socket.writable || code === "ECONNRESET") {
    socket.destroy(error);
    return;
  }
  const status = statusOf[code] ?? 400;
  const title = STATUS_CODES[status] ?? "Bad Request";
  const body = JSON.stringify({
    type: "urn:forebay:problem:malformed_request",
    title,
    status,
    detail: "This is not a request this server can read.",
    code: "malformed_request",
  });
  const head = `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
