import { isIP } from "node:net";
import { hostname } from "node:os";

const localSuffixes = [".localhost", ".local", ".internal"];

/** Ollama's guard against DNS rebinding: bound to the loopback, it answers local names only. */
export function allowsHost(boundTo: string, header: string | undefined): boolean {
  if (!isLoopback(boundTo)) return true;
  const host = (header ?? "")
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  if (host === "" || host === "localhost" || isIP(host) !== 0) return true;
  return localSuffixes.some((suffix) => host.endsWith(suffix)) || host === hostname().toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
