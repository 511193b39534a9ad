import type { Call } from "./open-call.ts";

/** Which model answers, whatever name was asked for. */
export const servedBy = ({ model }: Call): { "forebay-model": string } => ({ "forebay-model": model });
