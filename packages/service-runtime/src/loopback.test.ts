import { expect, test } from "vitest";
import { isLoopbackHost, isLoopbackName } from "./loopback.ts";

test.each([
  ["127.0.0.1", true],
  ["127.8.9.1", true],
  ["::1", true],
  ["localhost", true],
  ["0.0.0.0", false],
  ["::", false],
  ["192.168.1.4", false],
  ["127.0.0.1.example.org", false],
  ["example.org", false],
  ["", false],
])("listening on %s is private: %s", (host, loopback) => {
  expect(isLoopbackHost(host)).toBe(loopback);
});

test.each([
  ["localhost:8080", true],
  ["LOCALHOST", true],
  ["127.0.0.1:8080", true],
  ["[::1]:8080", true],
  ["localhost.evil.example", false],
  ["127.0.0.1.evil.example:8080", false],
  [undefined, false],
  ["", false],
])("Host: %s is this machine: %s", (header, loopback) => {
  expect(isLoopbackName(header)).toBe(loopback);
});
