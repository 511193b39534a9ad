import { once } from "node:events";
import { connect } from "node:net";

/**
 * Whether the Redis with this pid answers commands on the port: not while it still loads its data, and not
 * when the port belongs to another Redis, which ours is about to find out and die of.
 */
export async function isRedisReady(port: number, pid: number, password?: string): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("utf8");
  socket.setTimeout(1_000, () => socket.destroy(new Error("Redis does not answer.")));
  try {
    await once(socket, "connect");
    const commands = [["PING"], ["INFO", "server"]];
    if (password) commands.unshift(["AUTH", password]);
    socket.write(commands.map(encode).join(""));
    let answer = "";
    while (!/process_id:\d+\r/.test(answer)) {
      const [chunk]: unknown[] = await once(socket, "data");
      answer += String(chunk);
    }
    return answer.includes("+PONG\r") && answer.includes(`process_id:${pid}\r`);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function encode(command: readonly string[]): string {
  const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${command.length}\r\n${parts.join("")}`;
}
