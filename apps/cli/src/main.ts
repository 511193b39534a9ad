import { runCli } from "./run-cli.ts";

const status = await runCli(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
// A Redis connection that never came about keeps a timer for two more seconds.
process.exit(status);
