import { isIP } from "node:net";

/** Whether only this machine can reach a server that listens there. */
export function isLoopbackHost(host: string): boolean {
  if (host === "localhost") return true;
  return isIP(host) === 4 ? host.startsWith("127.") : host === "::1" || host === "[::1]";
}

/** Whether a Host header names this machine by its loopback address. */
export function isLoopbackName(header: string | undefined): boolean {
  return header !== undefined && isLoopbackHost(header.replace(/:\d*$/, "").toLowerCase());
}
