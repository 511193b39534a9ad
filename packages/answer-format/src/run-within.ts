import { type Context, createContext, Script } from "node:vm";

const script = new Script("run()");
let context: (Context & { run?: (() => void) | undefined }) | undefined;

/**
 * What `work` returns; undefined when it took longer than `ms`. Patterns and references of
 * a schema are the caller's, and JavaScript's regular expressions may backtrack for years: a timer could not fire
 * meanwhile, the engine's own limit on a script does.
 */
export function runWithin<T>(ms: number, work: () => T): T | undefined {
  context ??= createContext({});
  let done: { value: T } | undefined;
  context.run = () => {
    done = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: ms });
  } catch (error) {
    if (!isTimeout(error)) throw error;
  } finally {
    context.run = undefined;
  }
  return done?.value;
}

// Of the context's own realm, so not an instance of our Error.
const isTimeout = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  "code" in error &&
  error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
