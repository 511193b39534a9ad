/** One event of a stream; `id` only if this very event carried one. */
export type SseMessage = { id: string | undefined; event: string; data: string };

export type SseParser = {
  /** Takes the next bytes, cut wherever the network cut them; returns the events they complete. */
  push(bytes: Uint8Array): SseMessage[];
  /** The last `retry:` the server sent, in milliseconds. */
  readonly retryMs: number | undefined;
};

const lineEnd = /\r\n|\n|\r/g;

/** Reads `text/event-stream` as the HTML standard says. An event that is not finished by an empty line never was. */
export function createSseParser(): SseParser {
  // Holds back the bytes of a character that came in part, and drops a byte order mark.
  const decoder = new TextDecoder();
  let retryMs: number | undefined;
  let line = "";
  let endedWithCr = false;
  let [id, event, data]: [string | undefined, string, string[]] = [undefined, "", []];

  const takeField = (name: string, value: string): void => {
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d+$/.test(value)) retryMs = Number(value);
  };
  const takeLine = (text: string, messages: SseMessage[]): void => {
    if (text === "") {
      if (data.length > 0) messages.push({ id, event: event || "message", data: data.join("\n") });
      [id, event, data] = [undefined, "", []];
      return;
    }
    const colon = text.indexOf(":");
    // A line that begins with a colon is a comment: its name is empty, and no field has that name.
    if (colon === -1) takeField(text, "");
    else takeField(text.slice(0, colon), text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1));
  };

  return {
    get retryMs() {
      return retryMs;
    },
    push(bytes) {
      const messages: SseMessage[] = [];
      const decoded = decoder.decode(bytes, { stream: true });
      if (decoded === "") return messages;
      // The carriage return before has ended the line already; this is the rest of that line end.
      const text = endedWithCr && decoded.startsWith("\n") ? decoded.slice(1) : decoded;
      endedWithCr = decoded.endsWith("\r");
      let start = 0;
      for (const match of text.matchAll(lineEnd)) {
        takeLine(line + text.slice(start, match.index), messages);
        line = "";
        start = match.index + match[0].length;
      }
      line += text.slice(start);
      return messages;
    },
  };
}
