import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { StartError } from "@forebay/service-runtime";

/** Another stack runs from the same directory: two Redis on one append-only file would ruin it. */
export class DataDirInUseError extends StartError {
  constructor(directory: string, pid: number) {
    super(
      "data_dir_in_use",
      `A stack already runs from ${directory} (process ${pid}): stop it, or set FOREBAY_DATA_DIR to another directory.`,
    );
    this.name = "DataDirInUseError";
  }
}

/**
 * Holds `<directory>/stack.lock` until disposed, or until this process exits in any way it can notice. The lock
 * of a process that is gone is taken over.
 *
 * @throws {DataDirInUseError}
 */
export function openDataDirLock(directory: string): Disposable {
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, "stack.lock");
  const own = path.join(directory, `stack.lock.${process.pid}`);
  writeFileSync(own, describeProcess(process.pid));
  try {
    // A hard link appears with its content, all at once, and only for the first who tries.
    while (!tryLink(own, file)) {
      const holder = readHolder(file);
      if (holder !== undefined && isSameProcess(holder)) throw new DataDirInUseError(directory, holder.pid);
      if (holder !== undefined) removeStale(file, holder);
    }
  } finally {
    rmSync(own, { force: true });
  }
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  return {
    [Symbol.dispose]: () => {
      process.off("exit", release);
      release();
    },
  };
}

interface Holder {
  pid: number;
  startedAt: string;
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    const [pid = "", startedAt = ""] = readFileSync(file, "utf8").trim().split(" ");
    return { pid: Number(pid), startedAt };
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

// Two may find the same stale lock. The slower one then holds the quicker one's fresh lock, and puts it back.
function removeStale(file: string, stale: Holder): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (isCode(error, "ENOENT")) return;
    throw error;
  }
  const removed = readHolder(aside);
  if (removed?.pid !== stale.pid || removed.startedAt !== stale.startedAt) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function isSameProcess(holder: Holder): boolean {
  if (!Number.isInteger(holder.pid) || holder.pid <= 0) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return isCode(error, "EPERM");
  }
  return describeProcess(holder.pid) === `${holder.pid} ${holder.startedAt}`;
}

// Pids come back, in a container after a restart even at once: the same pid with another start is another process.
function describeProcess(pid: number): string {
  return `${pid} ${readStartTime(pid)}`;
}

// Field 22 of stat, counted from behind the name, which may hold spaces and parentheses.
function readStartTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "unknown";
  } catch {
    return "unknown";
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
