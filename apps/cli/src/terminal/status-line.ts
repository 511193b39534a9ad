import type { CliIo, TerminalSize } from "../command.ts";

/** A line of progress that is drawn over and over, and gone when disposed. Nothing at all unless a person looks. */
export type StatusLine = Disposable & {
  readonly visible: boolean;
  show(text: string): void;
};

const saveCursor = "\x1b7";
const restoreCursor = "\x1b8";
const clearLine = "\x1b[2K";

export function openStatusLine(io: CliIo): StatusLine {
  const { err, out } = io.terminal;
  if (err && !out) return openPlainLine(io);
  if (err && err.rows > 3) return openBottomLine(io, err);
  // Nobody looks, or the answer needs the few rows there are.
  return { visible: false, show: () => undefined, [Symbol.dispose]: () => undefined };
}

/** Where the answer goes elsewhere, the line has the terminal to itself. */
function openPlainLine(io: CliIo): StatusLine {
  let shown = false;
  return {
    visible: true,
    show(text) {
      shown = true;
      io.err(`\r${clearLine}${fit(text, io.terminal.err)}`);
    },
    [Symbol.dispose]() {
      if (shown) io.err(`\r${clearLine}`);
      shown = false;
    },
  };
}

/**
 * Where the answer is written to the same terminal: the last row is taken out of what scrolls, so that text runs
 * above it, however long its lines are.
 */
function openBottomLine(io: CliIo, opened: TerminalSize): StatusLine {
  let rows = 0;
  const scrollWithin = (last: number): string => `${saveCursor}\x1b[1;${last}r${restoreCursor}`;
  const onRow = (row: number, text: string): string =>
    `${saveCursor}\x1b[${row};1H${clearLine}${text}${restoreCursor}`;
  const reserve = (size: TerminalSize): void => {
    if (size.rows === rows) return;
    // The cursor may stand on the row that is taken: a line end moves it, and everything, up by one.
    const room = rows === 0 ? "\n\x1b[1A" : "";
    rows = size.rows;
    io.err(`${room}${scrollWithin(rows - 1)}`);
  };
  reserve(opened);
  return {
    visible: true,
    show(text) {
      if (rows === 0) return;
      const size = io.terminal.err ?? opened;
      reserve(size);
      io.err(onRow(rows, fit(text, size)));
    },
    [Symbol.dispose]() {
      if (rows === 0) return;
      io.err(`${onRow(rows, "")}${scrollWithin(rows)}`);
      rows = 0;
    },
  };
}

/** One row at most: a longer text would wrap and could not be taken back. */
function fit(text: string, size: TerminalSize | undefined): string {
  // A terminal that does not know its size says 0.
  const columns = (size?.columns || 80) - 1;
  const line = text.replace(/\s+/g, " ");
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
