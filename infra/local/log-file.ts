import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

const tailBytes = 8_192;

/** A fresh log for this run; the one of the run before is kept beside it as `<name>.previous.log`. */
export function createLogFile(directory: string, name: string): string {
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `${name}.log`);
  const previous = path.join(directory, `${name}.previous.log`);
  rmSync(previous, { force: true });
  try {
    renameSync(file, previous);
  } catch {
    // The first run from this directory.
  }
  closeSync(openSync(file, "a"));
  return file;
}

/** The last lines of a log, as far as they fit in a few kB. */
export function readLastLines(file: string, count: number): string {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString().trimEnd().split("\n").slice(-count).join("\n");
  } finally {
    closeSync(descriptor);
  }
}
