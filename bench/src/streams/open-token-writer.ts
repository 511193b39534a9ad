import { fileURLToPath } from "node:url";
import { prefix } from "../systems/start-forebay.ts";
import { openChildCalls } from "./child-calls.ts";

/** Writes the logs of jobs, in a process of its own. */
export type TokenWriter = AsyncDisposable & {
  /** Writes to all jobs at once; resolves with the number of tokens written. */
  write(
    jobs: readonly { id: string; queueName: string }[],
    tokensPerS: number,
    seconds: number,
  ): Promise<number>;
};

export function openTokenWriter(redisUrl: string): TokenWriter {
  const file = fileURLToPath(new URL("token-writer.ts", import.meta.url));
  const child = openChildCalls(file, { REDIS_URL: redisUrl, PREFIX: prefix });
  return {
    write: (jobs, tokensPerS, seconds) => child.call("write", jobs, tokensPerS, seconds),
    async [Symbol.asyncDispose]() {
      await child.call("close");
      await child[Symbol.asyncDispose]();
    },
  };
}
