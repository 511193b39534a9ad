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
};

/**
 * After a restart nothing is sent until the new answer has caught up with the old one. With the same seed it
 * mostly does, word for word, and the client never notices.
 */
export function createAnswerContinuation(): AnswerContinuation {
  const sent = { text: "", thinking: "", toolCalls: [] as unknown[] };
  let now = { text: "", thinking: "", toolCalls: [] as unknown[] };

  return {
    restart() {
      now = { text: "", thinking: "", toolCalls: [] };
    },
    add(delta) {
      now.text += delta.text;
      now.thinking += delta.thinking;
      now.toolCalls.push(...delta.toolCalls);
      if (!agree(sent.text, now.text) || !agree(sent.thinking, now.thinking)) return undefined;
      if (!agreeCalls(sent.toolCalls, now.toolCalls)) return undefined;
      const fresh = {
        text: now.text.slice(sent.text.length),
        thinking: now.thinking.slice(sent.thinking.length),
        toolCalls: now.toolCalls.slice(sent.toolCalls.length),
      };
      sent.text += fresh.text;
      sent.thinking += fresh.thinking;
      sent.toolCalls.push(...fresh.toolCalls);
      return fresh;
    },
  };
}

/** Whether one is the beginning of the other. */
function agree(a: string, b: string): boolean {
  return a.length <= b.length ? b.startsWith(a) : a.startsWith(b);
}

/** Their ids are made up anew each time; what is called, and with what, counts. */
function agreeCalls(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.slice(0, b.length).every((call, index) => called(call) === called(b[index]));
}

const called = (call: unknown): string =>
  JSON.stringify((call as { function?: unknown } | undefined)?.function ?? call);
