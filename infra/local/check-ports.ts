import { ConfigError, PortInUseError } from "@forebay/service-runtime";
import { isPortFree } from "@forebay/test-harness";
import type { LocalConfig } from "./local-config.ts";

/**
 * Finds out before anything is started whether the services can have their ports.
 *
 * @throws {ConfigError} if two of them were given the same port
 * @throws {PortInUseError} for the first one that somebody else has
 */
export async function checkPorts(addresses: LocalConfig["addresses"]): Promise<void> {
  const byPort = Map.groupBy(Object.entries(addresses), ([, { port }]) => port);
  const doubled = [...byPort].filter(([, users]) => users.length > 1);
  if (doubled.length > 0) {
    throw new ConfigError(
      doubled.map(([port, users]) => `${users.map(([variable]) => variable).join(" and ")}: all are ${port}`),
    );
  }
  for (const [portVariable, { host, port }] of Object.entries(addresses)) {
    if (!(await isPortFree(port, host))) throw new PortInUseError({ host, port, portVariable });
  }
}
