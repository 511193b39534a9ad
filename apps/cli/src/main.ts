import type { TerminalSize } from "./command.ts";
import { runCli } from "./run-cli.ts";

// Whoever reads our output may have had enough of it (`forebay list | head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const sizeOf = (stream: NodeJS.WriteStream): TerminalSize | undefined =>
  stream.isTTY ? { columns: stream.columns, rows: stream.rows } : undefined;

const status = await runCli(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  terminal: {
    get err() {
      return sizeOf(process.stderr);
    },
    get out() {
      return sizeOf(process.stdout);
    },
  },
  onInterrupt(handler) {
    process.on("SIGINT", handler).on("SIGTERM", handler);
    return { [Symbol.dispose]: () => void process.off("SIGINT", handler).off("SIGTERM", handler) };
  },
});
// What is still being written to a pipe would be cut off.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
// A Redis connection that never came about keeps a timer for two more seconds.
process.exit(status);
