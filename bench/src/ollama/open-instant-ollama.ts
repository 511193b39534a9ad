import { fileURLToPath } from "node:url";
import { freePort, startProcess } from "@forebay/test-harness";

export type InstantOllama = AsyncDisposable & {
  readonly url: string;
  reset(): Promise<void>;
  /** Resolves once `count` generations have arrived since the last reset, with the time of each, in ms. */
  arrivals(count: number): Promise<number[]>;
};

const arrivalTimeoutMs = 60_000;

export async function openInstantOllama(): Promise<InstantOllama> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = fileURLToPath(new URL("instant-ollama.ts", import.meta.url));
  const child = await startProcess({ file, env: { PORT: String(port) }, ready: `${url}/api/version` });
  return {
    url,
    async reset() {
      await fetch(`${url}/bench/reset`, { method: "POST" });
    },
    async arrivals(count) {
      const signal = AbortSignal.timeout(arrivalTimeoutMs);
      const answer = await fetch(`${url}/bench/arrivals?count=${count}`, { signal }).catch(
        (error: unknown) => {
          throw new Error(`not within ${arrivalTimeoutMs / 1_000} s: ${count} calls of Ollama`, {
            cause: error,
          });
        },
      );
      const times = (await answer.json()) as string[];
      return times.map((time) => Number(BigInt(time)) / 1e6);
    },
    [Symbol.asyncDispose]: () => child.stop(),
  };
}
