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
  if (host === "" || host === "localhost" || host === hostname().toLowerCase()) return true;
  return isIP(host) !== 0 || localSuffixes.some((suffix) => host.endsWith(suffix));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
