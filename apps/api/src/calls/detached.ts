import type { Call } from "./open-call.ts";

/** A call whose job goes on when its client goes. */
export function detached(call: Call): Call {
  // By prototype, not as a copy: its model may change.
  return Object.create(call, { cancel: { value: async () => undefined } }) as Call;
}
