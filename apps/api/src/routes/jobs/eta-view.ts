import type { EtaMs } from "../../admission/forecasts.ts";

/** What a view says about the start of a waiting job. */
export type EtaView = { readonly eta_s: number | null; readonly eta_range_s: number[] | null };

const noEta: EtaView = { eta_s: null, eta_range_s: null };

export function etaView(eta: EtaMs | undefined): EtaView {
  if (!eta) return noEta;
  return {
    eta_s: seconds(eta.waitMs),
    eta_range_s: [seconds(eta.lowMs), seconds(eta.highMs)],
  };
}

/** Tenths up to ten seconds, whole ones above: nobody knows it better. */
function seconds(ms: number): number {
  return ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1_000);
}
