import { type ChildProcess, spawn } from "node:child_process";

export interface Reaper {
  /** The child is killed when this process ends, in whatever way, unless the child ended before. */
  watch(child: ChildProcess): void;
}

// Reads "+ pid" and "- pid"; end of input means that our process is gone, even by SIGKILL, which no exit
// handler survives. It ignores the signals a terminal sends to the whole group: it is needed just then.
const script = `
trap '' INT TERM HUP QUIT
pids=
while read -r sign pid; do
  rest=
  for known in $pids; do [ "$known" = "$pid" ] || rest="$rest $known"; done
  pids=$rest
  [ "$sign" = - ] || pids="$pids $pid"
done
# In a container whose first process does not reap, the dead stay as zombies.
is_alive() { kill -0 "$1" && ! grep -q "^State:.*Z" "/proc/$1/status"; }
any_alive() { for pid in $pids; do is_alive "$pid" && return 0; done; return 1; }
tenths=$1
if [ "$tenths" -gt 0 ]; then
  for pid in $pids; do kill -TERM "$pid"; done
  while [ "$tenths" -gt 0 ] && any_alive; do sleep 0.1; tenths=$((tenths - 1)); done
fi
for pid in $pids; do kill -KILL "$pid"; done
`;

/**
 * A small process beside ours that outlives it and kills the children it left behind: SIGTERM, and SIGKILL
 * after `graceMs` (at once with 0). It ends by itself right after our process.
 */
export function openReaper({ graceMs }: { graceMs: number }): Reaper {
  const tenths = String(Math.ceil(graceMs / 100));
  const reaper = spawn("sh", ["-c", script, "reaper", tenths], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const { stdin } = reaper;
  reaper.unref();
  // A pipe keeps the event loop alive unless it is told not to; only sockets (what pipes are here) can be told.
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  stdin.on("error", () => undefined);
  return {
    watch: (child) => {
      if (child.pid === undefined) return;
      stdin.write(`+ ${child.pid}\n`);
      child.once("exit", () => stdin.write(`- ${child.pid}\n`));
    },
  };
}
