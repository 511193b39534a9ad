import { fileURLToPath } from "node:url";
import { openChildCalls } from "./child-calls.ts";
import type { StreamCounts } from "./stream-client.ts";

type Target = {
  readonly origin: string;
  readonly paths: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
};

/** Readers of open answers, in a process of their own. */
export type StreamClient = AsyncDisposable & {
  /** Opens one connection for each path; resolves when each is `connected`, or has got its first bytes. */
  open(target: Target, until: "connected" | "begun"): Promise<void>;
  /** From now on notes the delays of the tokens in one chunk of so many. */
  sample(every: number): Promise<void>;
  read(): Promise<StreamCounts>;
  delays(): Promise<number[]>;
  close(): Promise<void>;
};

export function openStreamClient(): StreamClient {
  const child = openChildCalls(fileURLToPath(new URL("stream-client.ts", import.meta.url)));
  return {
    open: (target, until) => child.call("open", target, until),
    sample: (every) => child.call("sample", every),
    read: () => child.call("read"),
    delays: () => child.call("delays"),
    close: () => child.call("close"),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
