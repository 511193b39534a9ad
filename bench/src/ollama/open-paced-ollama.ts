import { fileURLToPath } from "node:url";
import { openChildCalls } from "../streams/child-calls.ts";

/** An Ollama whose tokens come at a steady pace and say when they were made. */
export type PacedOllama = AsyncDisposable & {
  readonly url: string;
  /** When the call of this name began, or its connection was closed; waits for that. */
  time(name: string, what: "begun" | "ended"): Promise<number>;
};

/** A prompt for it. */
export const pacedPrompt = (tokens: number, perS: number, name: string): string =>
  `${tokens} ${perS} ${name}`;

export async function openPacedOllama(): Promise<PacedOllama> {
  const child = openChildCalls(fileURLToPath(new URL("paced-ollama.ts", import.meta.url)));
  return {
    url: await child.call<string>("listen"),
    time: (name, what) => child.call("time", name, what),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
