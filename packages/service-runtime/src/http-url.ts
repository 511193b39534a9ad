/** The URL to call for an address to listen on: a wildcard listens everywhere, but is called on loopback. */
export function httpUrl({ host, port }: { host: string; port: number }): string {
  if (host === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (host === "::") return `http://[::1]:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
