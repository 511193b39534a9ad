import { ConfigError, isLoopbackHost } from "@forebay/service-runtime";

/** Throws ConfigError when the board would be open to other machines with no key to log in with. */
export function checkExposure(host: string, keysExist: boolean): void {
  if (keysExist || isLoopbackHost(host)) return;
  throw new ConfigError([
    `DASHBOARD_HOST is ${host}, which other machines can reach, and there are no API keys to log in with: make one`,
    "with `forebay keys create --name ops --tenant platform --role operator`, or leave DASHBOARD_HOST at 127.0.0.1",
  ]);
}
