/** What an answer has grown by. */
export type AnswerDelta = {
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly unknown[];
};

/**
 * An answer that is being sent on to a client who cannot take anything back, while the job that makes it may
 * begin anew.
 */
export type AnswerContinuation = {
  /** What the client has not seen yet of it; undefined: the new answer is another one than it has seen. */
  add(delta: AnswerDelta): AnswerDelta | undefined;
  /** The job began anew: what comes is compared with what was sent. */
  restart(): void;
  /** The new answer has not caught up with what was sent. If it is over now, it is another one. */
  readonly behind: boolean;
};

/**
 * After a restart nothing is sent until the new answer has caught up with the old one. With the same seed it
 * mostly does, word for word, and the client never notices.
 */
export function createAnswerContinuation(): AnswerContinuation {
  const text = createTextTrack();
  const thinking = createTextTrack();
  const calls = createCallTrack();

  return {
    restart() {
      for (const track of [text, thinking, calls]) track.restart();
    },
    add(delta) {
      const fresh = {
        text: text.add(delta.text),
        thinking: thinking.add(delta.thinking),
        toolCalls: calls.add(delta.toolCalls),
      };
      const { text: words, thinking: thoughts, toolCalls } = fresh;
      if (words === undefined || thoughts === undefined || toolCalls === undefined) return undefined;
      return { text: words, thinking: thoughts, toolCalls };
    },
    get behind() {
      return text.behind || thinking.behind || calls.behind;
    },
  };
}

/** Compares only what comes with what stood there: an answer of megabytes is never looked at as a whole. */
function createTextTrack() {
  let sent = "";
  let reached = 0;
  return {
    restart: () => void (reached = 0),
    add(piece: string): string | undefined {
      const known = Math.min(piece.length, sent.length - reached);
      if (known > 0 && sent.slice(reached, reached + known) !== piece.slice(0, known)) return undefined;
      const fresh = piece.slice(known);
      sent += fresh;
      reached += piece.length;
      return fresh;
    },
    get behind() {
      return reached < sent.length;
    },
  };
}

function createCallTrack() {
  const sent: string[] = [];
  let reached = 0;
  return {
    restart: () => void (reached = 0),
    add(calls: readonly unknown[]): unknown[] | undefined {
      const fresh: unknown[] = [];
      for (const call of calls) {
        const known = sent[reached++];
        if (known === undefined) {
          sent.push(calledIn(call));
          fresh.push(call);
        } else if (known !== calledIn(call)) return undefined;
      }
      return fresh;
    },
    get behind() {
      return reached < sent.length;
    },
  };
}

/** A call's id is made up anew each time; what is called, and with what, counts. */
const calledIn = (call: unknown): string =>
  JSON.stringify((call as { function?: unknown } | undefined)?.function ?? call);
