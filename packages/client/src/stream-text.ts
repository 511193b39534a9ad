import { answerText } from "./answer-text.ts";
import { JobFailedError, OffsetLostError } from "./errors.ts";
import { isEnd } from "./job-event.ts";
import type { JobView } from "./job-view.ts";
import type { CallOptions, Server } from "./request.ts";
import { streamEvents } from "./stream-events.ts";
import { waitForJob } from "./wait-for-job.ts";

/** The next piece of an answer. */
export type TextPiece = {
  /** New text. */
  text: string;
  /** New text of what a thinking model thinks before it answers. */
  thinking: string;
  /** Everything that came before is void: drop it. `text` begins the answer anew. */
  restart: boolean;
  /** The answer so far, which is right whatever happened before. */
  whole: string;
};

export async function* streamText(
  server: Server,
  id: string,
  options: CallOptions,
): AsyncGenerator<TextPiece, JobView, undefined> {
  let whole = "";
  const piece = (text: string, thinking: string, restart: boolean): TextPiece => {
    whole = restart ? text : whole + text;
    return { text, thinking, restart, whole };
  };
  try {
    for await (const event of streamEvents(server, id, options)) {
      if (isEnd(event)) {
        const answer = completedAnswer(event.job);
        // A job with `stream: false` has no tokens, and an answer all the same.
        if (whole === "" && answer !== "") yield piece(answer, "", false);
        return event.job;
      }
      if (event.event === "restart") yield piece("", "", true);
      if (event.event !== "token") continue;
      const { text = "", thinking = "" } = event;
      if (text !== "" || thinking !== "") yield piece(text, thinking, false);
    }
  } catch (error) {
    if (!(error instanceof OffsetLostError)) throw error;
  }
  // The beginning of the log is gone; the result is not.
  const job = await waitForJob(server, id, options);
  yield piece(completedAnswer(job), "", true);
  return job;
}

/** Throws JobFailedError. */
function completedAnswer(job: JobView): string {
  if (job.state !== "completed") throw new JobFailedError(job);
  return answerText(job.result);
}
