import type { Call } from "./open-call.ts";

/** A call whose job goes on when its client goes. */
export function detached(call: Call): Call {
  // By prototype, not as a copy: its model may change.
  const goOn = { value: async () => undefined };
  return Object.create(call, { cancel: goOn, leave: goOn }) as Call;
}
