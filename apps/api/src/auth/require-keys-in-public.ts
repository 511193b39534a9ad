import type { Keyring } from "@forebay/access-keys";
import { ConfigError, isLoopbackHost, type Logger } from "@forebay/service-runtime";

/** Refuses to serve more than this machine while no API key exists. Throws ConfigError. */
export async function requireKeysInPublic(keyring: Keyring, host: string, logger: Logger): Promise<void> {
  if (!(await keyring.isOpen())) return;
  if (isLoopbackHost(host)) {
    logger.warn("No API key exists: every program on this machine may use the API, with every right.");
    return;
  }
  throw new ConfigError([
    `API_HOST: ${host} can be reached from other machines, and no API key exists. Make one first:`,
    "  npm run forebay -- keys create --name first --tenant default --role admin",
    "or leave API_HOST at 127.0.0.1.",
  ]);
}
