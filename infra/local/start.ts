// `npm start`: the whole stack on this machine, without containers, until Ctrl-C.
import { createLogger, exitOnConfigError, loadConfig, runService } from "@forebay/service-runtime";
import { localConfigSchema } from "./local-config.ts";
import { startLocalStack } from "./start-local-stack.ts";
import { whenParentIsGone } from "./when-parent-is-gone.mjs";

const { argv, env } = process;
const config = exitOnConfigError(() => loadConfig(localConfigSchema, env));
const logger = createLogger({ service: "forebay", level: "info", pretty: true });

// A closed terminal is a Ctrl-C too, told by several signals or none, and there is nobody left to write to.
let stopAsked = false;
function stop(): void {
  if (!stopAsked) process.kill(process.pid, "SIGTERM");
  stopAsked = true;
}
process.on("SIGHUP", stop);
process.once("SIGTERM", () => {
  stopAsked = true;
});
process.stdout.on("error", () => undefined);
whenParentIsGone(stop);

// Services stop one after another, each within its own time.
await runService({ name: "forebay", graceMs: config.stopTimeoutMs * 4, logger }, (service) =>
  startLocalStack(config, {
    ...service,
    logger,
    sample: !argv.includes("--no-sample"),
    say: (line) => console.log(line),
    write: (text) => process.stdout.write(text),
  }),
);
