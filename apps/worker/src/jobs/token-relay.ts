import type { Delivery } from "@forebay/queue-bullmq";
import type { AnswerDelta } from "../ollama/assemble-answer.ts";

/** Tokens wait this long for company: a write to Redis each would cost more than the tokens. Milliseconds. */
const windowMs = 25;
/** So much is worth a write at once. */
const windowChars = 512;
/** A log longer than this loses its beginning; readers who still want that are told so. Characters. */
const logCharsMax = 4 * 1024 * 1024;
/** How often readers are told how many tokens there are; it costs no write of its own. Milliseconds. */
const countMs = 1_000;

/** Writes an answer to the job's log while it is being made: the first token at once, then in small pieces. */
export type TokenRelay = {
  /** @param counted tokens of the answer so far */ push(delta: AnswerDelta, counted: number): void;
  /** What came so far is void: readers are told to drop what they have of it before anything else is written. */
  startOver(): Promise<void>;
  /** Writes what is left. Rejects with the error of any write, such as LockLostError. */
  flush(): Promise<void>;
  /** Drops what is left; resolves when nothing is being written any more. */
  close(): Promise<void>;
};

type Piece = AnswerDelta;

export function createTokenRelay(delivery: Pick<Delivery, "appendTokens" | "rewriteTokens">): TokenRelay {
  let piece = emptyPiece();
  // All that was written, should Redis come back without a part of it.
  let written = emptyPiece();
  let underway: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failure: { error: unknown } | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  let entries = 0;
  let chars = 0;
  let voided = false;
  let counted = 0;
  let toldAt = performance.now();

  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (underway || failure || isEmpty(piece)) return;
    const next = piece;
    piece = emptyPiece();
    chars += sizeOf(next);
    entries++;
    written = join(written, next);
    lastAt = performance.now();
    underway = append(next)
      .catch((error: unknown) => {
        failure = { error };
      })
      .finally(() => {
        underway = undefined;
        if (!isEmpty(piece)) schedule();
      });
  };
  const append = async (next: Piece): Promise<void> => {
    if (voided) {
      voided = false;
      return delivery.rewriteTokens(toData(next));
    }
    const told = countToTell();
    const answer = await delivery.appendTokens(toData(next), entriesMax(), told);
    if (answer === "lost") await delivery.rewriteTokens(toData(written));
  };
  const countToTell = (): number | undefined => {
    if (performance.now() - toldAt < countMs) return undefined;
    toldAt = performance.now();
    entries++;
    return counted;
  };
  const entriesMax = (): number => {
    if (chars <= logCharsMax) return 0;
    chars /= 2;
    entries = Math.ceil(entries / 2);
    return entries;
  };
  const schedule = (): void => {
    const wait = sizeOf(piece) >= windowChars ? 0 : lastAt + windowMs - performance.now();
    if (wait <= 0) write();
    else timer ??= setTimeout(write, wait);
  };

  const drop = async (): Promise<void> => {
    piece = emptyPiece();
    clearTimeout(timer);
    timer = undefined;
    await underway;
  };

  return {
    async startOver() {
      await drop();
      voided ||= !isEmpty(written);
      written = emptyPiece();
      chars = 0;
      entries = 0;
    },
    push(delta, tokens) {
      piece = join(piece, delta);
      counted = tokens;
      if (!underway && !isEmpty(piece)) schedule();
    },
    close: drop,
    async flush() {
      while (underway || (!failure && !isEmpty(piece))) {
        write();
        await underway;
      }
      clearTimeout(timer);
      if (failure) throw failure.error;
    },
  };
}

const emptyPiece = (): Piece => ({ text: "", thinking: "", toolCalls: [] });
const join = (a: Piece, b: Piece): Piece => ({
  text: a.text + b.text,
  thinking: a.thinking + b.thinking,
  toolCalls: b.toolCalls.length === 0 ? a.toolCalls : [...a.toolCalls, ...b.toolCalls],
});
const isEmpty = (piece: Piece): boolean => sizeOf(piece) === 0 && piece.toolCalls.length === 0;
const sizeOf = (piece: Piece): number => piece.text.length + piece.thinking.length;

function toData(piece: Piece) {
  return {
    ...(piece.text === "" ? {} : { text: piece.text }),
    ...(piece.thinking === "" ? {} : { thinking: piece.thinking }),
    ...(piece.toolCalls.length === 0 ? {} : { tool_calls: [...piece.toolCalls] }),
  };
}
