// node healthcheck.mjs <variable> <default port> [path]
// The images carry no curl. Ready, not merely alive: compose starts what depends on a service when this passes.
const [variable = "", port = "", path = "/readyz"] = process.argv.slice(2);
try {
  const response = await fetch(`http://127.0.0.1:${process.env[variable] || port}${path}`, {
    signal: AbortSignal.timeout(4000),
  });
  // Docker keeps this text: `docker inspect` then says which dependency is missing.
  process.stdout.write((await response.text()).slice(0, 1000));
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`no answer: ${error.cause?.code ?? error.message}`);
  process.exitCode = 1;
}
