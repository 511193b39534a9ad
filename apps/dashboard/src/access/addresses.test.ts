import { describe, expect, it } from "vitest";
import { clientAddress, isLoopbackHost, isLoopbackName } from "./addresses.ts";

describe("what only this machine can reach", () => {
  it.each(["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])("%s", (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });
  it.each(["0.0.0.0", "::", "192.168.1.2", "127.0.0.1.example", "127.example", "board.example", ""])(
    "not %j",
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );
});

describe("a Host header that names this machine", () => {
  it.each(["localhost", "localhost:8081", "LOCALHOST:1", "127.0.0.1:8081", "[::1]:8081", "[::1]"])(
    "%s",
    (host) => {
      expect(isLoopbackName(host)).toBe(true);
    },
  );
  it.each([
    "evil.example",
    "evil.example:8081",
    "localhost.evil.example",
    "127.0.0.1.nip.io:8081",
    undefined,
  ])("not %s", (host) => {
    expect(isLoopbackName(host)).toBe(false);
  });
});

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
