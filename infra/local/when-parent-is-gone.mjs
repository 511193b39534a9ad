/**
 * Calls back once if the process that started us ends without stopping us first (npm killed with SIGKILL, say):
 * no signal tells of that. Only under npm or our own bootstrap; a process started from a shell may outlive it.
 *
 * @param {() => void} callback
 */
export function whenParentIsGone(callback) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback();
  }, 1_000);
  timer.unref();
}
