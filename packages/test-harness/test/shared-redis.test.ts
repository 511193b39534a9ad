import { expect, inject, test } from "vitest";
import { waitFor } from "../src/index.ts";

test("every test file finds the run's own Redis, on a port that is not Redis's usual one", async () => {
  const url = new URL(inject("redisUrl"));
  expect(url.port).not.toBe("6379");
  const { connect } = await import("node:net");
  const socket = connect(Number(url.port), url.hostname, () => socket.write("PING\r\n"));
  let answer = "";
  socket.on("data", (data) => {
    answer += data.toString();
  });
  await waitFor(() => answer === "+PONG\r\n", { what: "PONG" });
  socket.destroy();
});
