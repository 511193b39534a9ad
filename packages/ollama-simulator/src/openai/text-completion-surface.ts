import type { AnswerPart } from "../answer/answer.ts";
import type { Surface } from "../inference/surface.ts";
import { openaiError } from "./openai-error.ts";
import { finalMarker, serverSentEvent, usageOf } from "./server-sent-event.ts";

export function createTextCompletionSurface(shape: {
  id: string;
  model: string;
  includeUsage: boolean;
}): Surface {
  const created = Math.floor(Date.now() / 1000);
  const head = {
    id: shape.id,
    object: "text_completion",
    created,
    model: shape.model,
    system_fingerprint: "fp_ollama",
  };
  const choice = (text: string, finish_reason: string | null) => ({ text, index: 0, finish_reason });
  const usage = shape.includeUsage ? { usage: usageOf(undefined) } : {};
  return {
    contentType: "text/event-stream",
    chunk: (part) => serverSentEvent({ ...head, choices: [choice(contentOf(part), null)], ...usage }),
    close(reason, metrics) {
      const last = serverSentEvent({ ...head, choices: [choice("", reason)], ...usage });
      const total = shape.includeUsage
        ? serverSentEvent({ ...head, choices: [], usage: usageOf(metrics) })
        : "";
      return last + total + finalMarker;
    },
    broken: () => serverSentEvent({ ...head, choices: [choice("", null)], ...usage }),
    whole: (parts, ending) => ({
      ...head,
      choices: [choice(parts.map(contentOf).join(""), ending?.reason ?? null)],
      usage: usageOf(ending?.metrics),
    }),
    empty: (reason) => ({ ...head, choices: [choice("", reason)], usage: usageOf(undefined) }),
    error: openaiError,
  };
}

function contentOf(part: AnswerPart): string {
  return part.kind === "content" ? part.text : "";
}
