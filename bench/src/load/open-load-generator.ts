import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LoadPlan, LoadResult } from "./load-plan.ts";

export type LoadGenerator = AsyncDisposable & { run(plan: LoadPlan): Promise<LoadResult> };

/** A load generator in a process of its own, so that it competes with nothing but the machine. */
export function openLoadGenerator(): LoadGenerator {
  const child = fork(fileURLToPath(new URL("load-generator.ts", import.meta.url)));
  return {
    async run(plan) {
      child.send(plan);
      const [message] = (await once(child, "message")) as [{ result?: LoadResult; error?: string }];
      if (!message.result) throw new Error(`${plan.method} ${plan.origin}: ${message.error}`);
      return message.result;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}
