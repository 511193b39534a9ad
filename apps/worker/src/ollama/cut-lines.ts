import { CallFailedError } from "./call-failure.ts";

const newline = 10;

/** Most bytes one line may have: an answer without line ends must not fill the memory. */
const lineBytesMax = 64 * 1024 * 1024;

/** Cuts a byte stream into lines; both throw what `onLine` throws, and CallFailedError. */
export type LineCutter = {
  push(chunk: Uint8Array): void;
  /** The stream is over: what is left is a line. */ end(): void;
};

/** @param onLine given each line without its end; blank ones are left out */
export function cutLines(onLine: (line: string) => void, limitBytes = lineBytesMax): LineCutter {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  const give = (last: Uint8Array): void => {
    const line = decode(rest.length === 0 ? last : Buffer.concat([...rest, last]));
    rest = [];
    restBytes = 0;
    if (line.trim() !== "") onLine(line);
  };
  return {
    push(chunk) {
      let from = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
        give(chunk.subarray(from, end));
        from = end + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      if (restBytes > limitBytes) throw new CallFailedError({ kind: "too_long", limitBytes });
    },
    end: () => give(new Uint8Array()),
  };
}

/** Whole lines only: a chunk may end within a character. */
const decode = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
