import { BlockList, isIP } from "node:net";

// Where a proxy of ours can be; the open internet is not.
const near = new BlockList();
for (const [net, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const) {
  near.addSubnet(net, bits, "ipv4");
}
near.addSubnet("fc00::", 7, "ipv6");
near.addAddress("::1", "ipv6");

/** Whose request it is: what the nearest proxy says, if one of our own can have said it; else who connected. */
export function clientAddress(peer: string, forwardedFor: string | undefined): string {
  const address = peer.replace(/^::ffff:/, "");
  const kind = isIP(address);
  if (kind === 0 || !near.check(address, kind === 4 ? "ipv4" : "ipv6")) return address;
  // Only the last entry was written by the proxy; those before it are the client's own claims.
  const claimed = forwardedFor?.split(",").at(-1)?.trim() ?? "";
  return isIP(claimed) === 0 ? address : claimed;
}
