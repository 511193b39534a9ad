import type { AnswerPart } from "../answer/answer.ts";
import { breakConnection, type Exchange, replyJson } from "../http/exchange.ts";
import type { Emit } from "./inference-event.ts";
import type { Reply } from "./stream-reply.ts";
import type { Surface } from "./surface.ts";

/** Keeps the parts until the end and says everything at once. */
export function openWholeReply(exchange: Exchange, surface: Surface): Reply {
  const parts: AnswerPart[] = [];
  let completed = false;
  const emit: Emit = (event) => {
    switch (event.kind) {
      case "parts":
        parts.push(...event.parts);
        return;
      case "done":
        completed = true;
        replyJson(exchange, 200, surface.whole(parts, event));
        return;
      case "raw":
        exchange.response
          .writeHead(200, { "content-type": "application/json; charset=utf-8" })
          .end(event.text);
        return;
      case "end":
        replyJson(exchange, 200, surface.whole(parts, undefined));
        return;
      case "reset":
        return breakConnection(exchange);
      case "error":
        replyJson(exchange, event.status, surface.error(event.status, event.message));
        return;
    }
  };
  return { emit, outcome: () => (completed ? "completed" : "failed") };
}
