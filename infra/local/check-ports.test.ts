import { createServer } from "node:http";
import { once } from "node:events";
import { ConfigError, loadConfig, PortInUseError } from "@forebay/service-runtime";
import { freePort } from "@forebay/test-harness";
import { expect, test } from "vitest";
import { checkPorts } from "./check-ports.ts";
import { localConfigSchema } from "./local-config.ts";

const variables = [
  "API_PORT",
  "API_OPS_PORT",
  "WORKER_OPS_PORT",
  "DLQ_OPS_PORT",
  "TIMEKEEPER_OPS_PORT",
  "BATCH_OPS_PORT",
  "DASHBOARD_PORT",
  "DASHBOARD_OPS_PORT",
] as const;

async function freeAddresses(changed: Partial<Record<(typeof variables)[number], number>> = {}) {
  const free = await Promise.all(
    variables.map(async (name) => [name, String(changed[name] ?? (await freePort()))]),
  );
  return loadConfig(localConfigSchema, Object.fromEntries(free)).addresses;
}

test("free ports are accepted", async () => {
  await checkPorts(await freeAddresses());
});

test.each(variables)("a taken %s is named, with its port", async (variable) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const check = checkPorts(await freeAddresses({ [variable]: port }));
  await expect(check).rejects.toThrow(PortInUseError);
  await expect(check).rejects.toThrow(new RegExp(`Port ${port} .*set ${variable} to`));
  server.close();
});

test("one port for two services is a mistake of configuration, both are named", async () => {
  const port = await freePort();
  const check = checkPorts(await freeAddresses({ API_PORT: port, DASHBOARD_PORT: port }));
  await expect(check).rejects.toThrow(ConfigError);
  await expect(check).rejects.toThrow(`API_PORT and DASHBOARD_PORT: all are ${port}`);
});
