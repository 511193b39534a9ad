// The callers' process: each puts a job and reads its tokens, or asks the Ollama for them itself.
import { Pool } from "undici";
import { pacedPrompt } from "../ollama/open-paced-ollama.ts";
import { sharedNowMs } from "../shared-clock.ts";
import { answerCalls } from "./child-calls.ts";
import { tokenDelays } from "./clock-token.ts";

type Route = { kind: "direct" | "forebay"; origin: string; headers: Record<string, string>; model: string };
type Load = { callers: number; callsEach: number; tokens: number; tokensPerS: number };
export type LiveTimes = { readonly firstTokenMs: number[]; readonly delaysMs: number[] };

/** Closed loops, begun one after the other over the time of one call, so that calls do not come in a burst. */
async function run(route: Route, load: Load): Promise<LiveTimes> {
  const pool = new Pool(route.origin, { connections: 2 * load.callers, pipelining: 1 });
  const times: LiveTimes = { firstTokenMs: [], delaysMs: [] };
  const callMs = (load.tokens / load.tokensPerS) * 1_000;
  await Promise.all(
    Array.from({ length: load.callers }, async (_, caller) => {
      await new Promise((resolve) => setTimeout(resolve, (caller / load.callers) * callMs));
      for (let call = 0; call < load.callsEach; call++) {
        const prompt = pacedPrompt(load.tokens, load.tokensPerS, `${route.kind}-${caller}-${call}`);
        await callOnce(pool, route, prompt, times);
      }
    }),
  );
  await pool.close();
  return times;
}

async function callOnce(pool: Pool, route: Route, prompt: string, times: LiveTimes): Promise<void> {
  const at = sharedNowMs();
  const headers = { ...route.headers, "content-type": "application/json" };
  const body = JSON.stringify({ model: route.model, prompt });
  const path = route.kind === "direct" ? "/api/generate" : "/jobs";
  let answer = await pool.request({ method: "POST", path, headers, body });
  if (route.kind === "forebay") {
    const { links } = (await answer.body.json()) as { links: { events: string } };
    answer = await pool.request({ method: "GET", path: links.events, headers: route.headers });
  }
  let begun = false;
  for await (const chunk of answer.body) {
    const now = sharedNowMs();
    const text = String(chunk);
    // The closing event repeats the whole answer.
    const end = text.indexOf("event: completed");
    const delays = tokenDelays(end === -1 ? text : text.slice(0, end), now);
    if (!begun && delays.length > 0) {
      begun = true;
      times.firstTokenMs.push(now - at);
    }
    times.delaysMs.push(...delays);
    if (end === -1) continue;
    await answer.body.dump();
    return;
  }
}

answerCalls({ run });
