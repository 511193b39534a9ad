import { type QueueSpace, readPlace } from "@forebay/queue-bullmq";
import type { Forecasts } from "../../../admission/forecasts.ts";
import { isNews, type PlaceNews, placeNews } from "./place-news.ts";

type WaitingJob = { readonly id: string; readonly queueName: string; readonly model: string };

/** Tells readers of waiting jobs when their place has changed. */
export type PlaceTeller = {
  /** Calls `tell` now and then while the job waits; returns how to stop. */
  follow(job: WaitingJob, tell: (news: PlaceNews) => void): () => void;
  /** Looks at every followed job once, however many readers it has; one round at a time. */
  tellAll(): Promise<void>;
};

type Followed = {
  readonly job: WaitingJob;
  readonly readers: Set<(news: PlaceNews) => void>;
  told: { news: PlaceNews; atMs: number } | undefined;
};

export function createPlaceTeller(
  deps: { space: QueueSpace; forecasts: Forecasts },
  now: () => number = Date.now,
): PlaceTeller {
  const followed = new Map<string, Followed>();
  let busy = false;

  const look = async (each: Followed): Promise<void> => {
    const place = await readPlace(deps.space, each.job);
    // It runs, is delayed or has ended: its log says so. Or its tenant runs as many as it may, and it has no place.
    // Should it wait again, it is told about again.
    if (!place || place.standing === "met") return;
    const eta = place.standing === "" ? await deps.forecasts.startOf({ ...each.job, ...place }) : undefined;
    const news = placeNews(place.ahead, eta);
    const { told } = each;
    if (!isNews(told?.news, news, told ? (now() - told.atMs) / 1_000 : 0)) return;
    each.told = { news, atMs: now() };
    for (const tell of each.readers) tell(news);
  };

  return {
    follow(job, tell) {
      const known = followed.get(job.id) ?? { job, readers: new Set(), told: undefined };
      followed.set(job.id, known);
      known.readers.add(tell);
      if (known.told) tell(known.told.news);
      return () => {
        known.readers.delete(tell);
        if (known.readers.size === 0 && followed.get(job.id) === known) followed.delete(job.id);
      };
    },
    async tellAll() {
      if (busy) return;
      busy = true;
      try {
        // Redis may be away: the next round comes soon.
        await Promise.allSettled([...followed.values()].map(look));
      } finally {
        busy = false;
      }
    },
  };
}
