import { z } from "zod";

const patienceMs = 30_000;
const notReadySchema = z.object({ reasons: z.record(z.string(), z.string()) });

/** Waits for a service, but not for ever: resolves with what `/readyz` complains about if that takes long. */
export async function waitUntilReady(ready: Promise<void>, readyUrl: string): Promise<string | undefined> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), patienceMs);
  try {
    const first = await Promise.race([ready, late.promise]);
    return first === "late" ? await findReasons(readyUrl) : undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function findReasons(readyUrl: string): Promise<string> {
  try {
    const answer = await fetch(readyUrl, { signal: AbortSignal.timeout(5_000) });
    const { reasons } = notReadySchema.parse(await answer.json());
    return Object.entries(reasons)
      .map(([name, reason]) => `${name}: ${reason}`)
      .join("; ");
  } catch {
    return `${readyUrl} does not answer`;
  }
}
