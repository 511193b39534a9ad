import {
  answerText,
  createTokenMeter,
  type ForebayClient,
  type JobView,
  OffsetLostError,
  type Retry,
} from "@forebay/client";
import { describeRetry } from "./describe-problem.ts";
import type { JobPanel } from "./job-panel.ts";

/** How often what is shown of a job is brought up to date. Milliseconds. */
const tickMs = 500;

/**
 * Shows a job from its first event to its end, whatever became of it before and wherever it runs. Returns when it
 * has ended; throws what the client throws.
 */
export async function followJob(
  client: ForebayClient,
  id: string,
  panel: JobPanel,
  watch: { signal: AbortSignal; onJob: (job: JobView) => void },
): Promise<void> {
  const { signal, onJob } = watch;
  const meter = createTokenMeter();
  let known: JobView | undefined;
  const show = (job: JobView): void => {
    known = job;
    meter.record(job.progress.tokens, performance.now());
    panel.show(job, meter.perSecond());
    onJob(job);
  };
  let ended = false;
  const look = async (): Promise<void> => {
    // The stream is what decides; this only fills in what it does not tell.
    const job = await client.get(id, { signal }).catch(() => undefined);
    if (job && !ended && !signal.aborted) show(job);
  };
  const tick = (): void => {
    // The stream tells how an answer grows, but not where a waiting job stands.
    if (known?.state !== "active") void look();
    else panel.show({ ...known, progress: { ...known.progress, tokens: meter.tokens } }, meter.perSecond());
  };
  const end = (job: JobView): void => {
    ended = true;
    panel.end(job);
    onJob(job);
  };

  show(await client.get(id, { signal }));
  const timer = setInterval(tick, tickMs);
  const onRetry = (retry: Retry): void => panel.notice(`${describeRetry(retry)} Nothing is lost.`);
  try {
    for await (const event of client.stream(id, { signal, onRetry })) {
      panel.notice(undefined);
      switch (event.event) {
        case "token":
          panel.add(event.text ?? "", event.thinking ?? "");
          break;
        case "restart":
          panel.drop();
          break;
        case "progress":
          meter.record(event.tokens, performance.now());
          break;
        case "state":
          void look();
          break;
        default:
          end(event.job);
      }
    }
  } catch (error) {
    if (!(error instanceof OffsetLostError)) throw error;
    panel.drop();
    panel.notice("The beginning of this answer is not kept any more: it will be shown when it is complete.");
    const job = await client.wait(id, { signal });
    panel.add(answerText(job.result), "");
    end(job);
  } finally {
    clearInterval(timer);
  }
}
