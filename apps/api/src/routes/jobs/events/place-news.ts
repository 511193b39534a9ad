import { type EtaView, etaView } from "../eta-view.ts";
import type { EtaMs } from "../../../admission/forecasts.ts";

/** Where a waiting job stands, as its readers are told. */
export type PlaceNews = { readonly queue_position: number } & EtaView;

export function placeNews(ahead: number, eta: EtaMs | undefined): PlaceNews {
  return { queue_position: ahead, ...etaView(eta) };
}

/** A tenth more or less is no news, nor is a second. */
const etaPart = 0.1;
const etaMinS = 1;

/**
 * Whether readers want to know: it has another position and starts noticeably earlier or later than they would think
 * by now, it is next, or there is an estimate where there was none.
 *
 * @param elapsedS since `told`
 */
export function isNews(told: PlaceNews | undefined, now: PlaceNews, elapsedS: number): boolean {
  if (!told) return true;
  if ((told.eta_s === null) !== (now.eta_s === null)) return true;
  if (now.queue_position !== told.queue_position && now.queue_position === 0) return true;
  if (told.eta_s === null || now.eta_s === null) return told.queue_position !== now.queue_position;
  const expected = Math.max(0, told.eta_s - elapsedS);
  return Math.abs(now.eta_s - expected) > Math.max(etaMinS, etaPart * expected);
}
