// What `npm start`, `npm test`, `npm run setup`, … call. It runs on whatever Node (18 or newer) the machine has
// and needs nothing installed: it installs, then hands over to the pinned Node.
import { ensureSystemPackage } from "./ensure-system-package.mjs";
import { findNode } from "./find-node.mjs";
import { handOver } from "./hand-over.mjs";
import { installDependencies, root } from "./install-dependencies.mjs";
import { say } from "./progress.mjs";

const [command, ...args] = process.argv.slice(2);

/** @type {Record<string, () => Promise<void>>} */
const commands = {
  start: async () => {
    await installDependencies();
    if (!process.env.REDIS_URL && !process.env.REDIS_URL_FILE) await ensureSystemPackage("redis-server");
    await handOver(findNode(), "infra/local/start.ts", args);
  },
  test: async () => {
    await installDependencies();
    await ensureSystemPackage("redis-server");
    await handOver(findNode(), "infra/local/test.ts", args);
  },
  setup: async () => {
    await installDependencies();
    await ensureSystemPackage("redis-server");
    say(`Ready: ${findNode()}`);
  },
  run: async () => {
    const [file, ...rest] = args;
    if (file === undefined) throw new Error("usage: bootstrap.mjs run <file> [arguments]");
    await installDependencies();
    await handOver(findNode(), file, rest);
  },
};

const action = commands[command ?? ""];
if (action === undefined) {
  console.error(`usage: node infra/local/bootstrap.mjs ${Object.keys(commands).join(" | ")}`);
  process.exit(2);
}
process.chdir(root);
try {
  await action();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
