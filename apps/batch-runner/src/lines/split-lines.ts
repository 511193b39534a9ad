/** A line of a file of JSON Lines that is not blank. */
export type FileLine = {
  /** Counted from 0, blank lines left out. */ readonly index: number;
  /** Counted from 1, as an editor does. */ readonly line: number;
  /** Where it begins in the file, and how long it is; bytes. */
  readonly offset: number;
  readonly length: number;
  /** undefined: it is longer than is allowed. */ readonly bytes: Buffer | undefined;
};

type Position = { readonly index: number; readonly offset: number; readonly line: number };

const newline = 0x0a;
const atStart: Position = { index: 0, offset: 0, line: 1 };

/**
 * The lines of a stream that begins at `from`, without holding more than one in memory. In UTF-8 no other character
 * holds the byte of a newline, so that lines can be cut before anything is decoded.
 */
export async function* splitLines(
  stream: AsyncIterable<Buffer>,
  bytesMax: number,
  from: Position = atStart,
): AsyncGenerator<FileLine> {
  let { index, offset, line } = from;
  let pieces: Buffer[] = [];
  let length = 0;
  let blank = true;

  const add = (piece: Buffer): void => {
    length += piece.length;
    blank &&= isBlank(piece);
    if (length <= bytesMax) pieces.push(piece);
    else pieces = [];
  };
  const cut = (): FileLine | undefined => {
    const bytes = length <= bytesMax ? Buffer.concat(pieces) : undefined;
    return blank ? undefined : { index, line, offset, length, bytes };
  };
  const next = (): void => {
    if (!blank) index++;
    line++;
    offset += length + 1;
    pieces = [];
    length = 0;
    blank = true;
  };

  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      start = end + 1;
      const found = cut();
      if (found) yield found;
      next();
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  const last = cut();
  if (last) yield last;
}

function isBlank(piece: Buffer): boolean {
  for (const byte of piece) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  return true;
}
