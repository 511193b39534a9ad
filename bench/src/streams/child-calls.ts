import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A process of the benchmark that is called from the main one, so that what it costs is not measured. */
export type ChildCalls = AsyncDisposable & { call<T>(name: string, ...args: unknown[]): Promise<T> };

type Question = { id: number; name: string; args: unknown[] };
type Answer = { id: number; value?: unknown; error?: string };

export function openChildCalls(file: string, env: Readonly<Record<string, string>> = {}): ChildCalls {
  const child: ChildProcess = fork(file, { env: { ...process.env, ...env }, serialization: "advanced" });
  const waiting = new Map<number, (answer: Answer) => void>();
  child.on("message", (answer: Answer) => waiting.get(answer.id)?.(answer));
  let calls = 0;
  return {
    async call<T>(name: string, ...args: unknown[]): Promise<T> {
      const id = calls++;
      const { promise, resolve } = Promise.withResolvers<Answer>();
      waiting.set(id, resolve);
      child.send({ id, name, args } satisfies Question);
      const { value, error } = await promise;
      waiting.delete(id);
      if (error !== undefined) throw new Error(`${name}: ${error}`);
      return value as T;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}

/** In the child: answers calls with these functions. */
export function answerCalls(functions: Readonly<Record<string, (...args: never[]) => unknown>>): void {
  process.on("message", ({ id, name, args }: Question) => {
    const run = async (): Promise<unknown> => functions[name]?.(...(args as never[]));
    run().then(
      (value) => process.send?.({ id, value }),
      (error: unknown) =>
        process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
    );
  });
}
