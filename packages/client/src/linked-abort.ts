/** An AbortController that follows another signal until released. (`AbortSignal.any` is missing in Node 18.) */
export type LinkedAbort = { readonly signal: AbortSignal; abort(reason?: unknown): void; release(): void };

export function createLinkedAbort(outer: AbortSignal | undefined): LinkedAbort {
  const controller = new AbortController();
  const follow = (): void => controller.abort(outer?.reason);
  if (outer?.aborted) follow();
  else outer?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => outer?.removeEventListener("abort", follow),
  };
}
