import { breakConnection, type Exchange, replyJson, writeDrained } from "../http/exchange.ts";
import type { Emit } from "./inference-event.ts";
import type { Surface } from "./surface.ts";

export type Reply = { emit: Emit; outcome: () => "completed" | "failed" };

/** Says each part as it comes. Nothing is written, not even headers, until there is something to say. */
export function openStreamReply(exchange: Exchange, surface: Surface): Reply {
  const { response } = exchange;
  let completed = false;
  const open = () => {
    if (!response.headersSent) response.writeHead(200, { "content-type": surface.contentType });
    return response;
  };
  const emit: Emit = (event) => {
    switch (event.kind) {
      case "parts":
        open();
        return writeDrained(exchange, event.parts.map((part) => surface.chunk(part)).join(""));
      case "done":
        completed = true;
        open().end(surface.close(event.reason, event.metrics));
        return;
      case "raw":
        open().end(event.text);
        return;
      case "end":
        open().end();
        return;
      case "reset":
        return breakConnection(exchange);
      case "error":
        if (response.headersSent) response.end(surface.broken(event.message));
        else replyJson(exchange, event.status, surface.error(event.status, event.message));
        return;
    }
  };
  return { emit, outcome: () => (completed ? "completed" : "failed") };
}
