// For those who run without containers: npm run setup, then pm2 start infra/pm2/ecosystem.config.cjs
// Redis and Ollama are not among the processes: run them as services of the system (infra/redis/redis.conf).
// Variables come from PM2's environment or from .env in the root of the repository (.env.example lists them).
const { existsSync } = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
// The Node the project pins; where there is none for the system, the one PM2 runs on (24.11 or newer).
const pinned = path.join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin/node");
const interpreter = existsSync(pinned) ? pinned : process.execPath;

const workers = Number(process.env.FOREBAY_WORKERS ?? 1);
const graceS = Number(process.env.WORKER_SHUTDOWN_GRACE_S ?? 25);

function service(name, options) {
  return {
    name: `forebay-${name}`,
    script: `apps/${name}/src/main.ts`,
    cwd: root,
    interpreter,
    node_args: ["--env-file-if-exists=.env"],
    // Not cluster mode: each process has ports of its own, and a worker is scaled by starting another.
    exec_mode: "fork",
    instances: 1,
    // PM2 sends SIGINT, waits this long, then kills. A service needs its grace and 5 s at most.
    kill_timeout: 20_000,
    // A Redis that is away ends nobody; a wrong setting does, again and again: ever slower, up to 15 s.
    exp_backoff_restart_delay: 200,
    max_memory_restart: "512M",
    // One JSON object a line, as the services write it: no prefix of PM2's.
    merge_logs: true,
    ...options,
  };
}

module.exports = {
  apps: [
    service("api"),
    service("worker", {
      instances: workers,
      // Every process needs an ops port: 9102 as everywhere, or from 9110 upwards when there are several.
      env: { WORKER_OPS_PORT: workers > 1 ? 9110 : 9102 },
      increment_var: "WORKER_OPS_PORT",
      kill_timeout: (graceS + 10) * 1_000,
    }),
    service("dlq-handler"),
    service("timekeeper"),
    service("batch-runner"),
    service("dashboard"),
  ],
};
