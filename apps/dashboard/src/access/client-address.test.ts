import { expect, it } from "vitest";
import { clientAddress } from "./client-address.ts";

it.each([
  ["a stranger, who may claim nothing", "203.0.113.5", "198.51.100.1", "203.0.113.5"],
  ["a proxy of ours", "172.18.0.4", "198.51.100.1", "198.51.100.1"],
  ["a proxy of ours, behind what the client claimed", "127.0.0.1", "10.0.0.1, 198.51.100.1", "198.51.100.1"],
  ["a proxy of ours, over IPv6", "::1", "2001:db8::7", "2001:db8::7"],
  ["a proxy of ours, on a socket for both", "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["a neighbour that is no proxy", "192.168.1.9", undefined, "192.168.1.9"],
  ["a proxy that says nonsense", "127.0.0.1", "unknown", "127.0.0.1"],
  ["nobody known", "", "198.51.100.1", ""],
])("a request's address, sent by %s", (_, peer, forwardedFor, expected) => {
  expect(clientAddress(peer, forwardedFor)).toBe(expected);
});
