import { readFile } from "node:fs/promises";

/** Kernel ticks per second, as `getconf CLK_TCK` says on every Linux there is. */
const ticksPerS = 100;

/** Processor time a process has used so far, its threads included. */
export async function readCpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerS) * 1_000;
}
