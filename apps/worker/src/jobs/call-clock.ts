/** Times one call of a backend. */
export type CallClock = {
  /** A token came; only the first counts. */
  token(): void;
  read(): { gpuMs: number; firstTokenMs: number | undefined };
};

export function startCallClock(): CallClock {
  const begunAt = performance.now();
  let firstTokenMs: number | undefined;
  return {
    token() {
      firstTokenMs ??= performance.now() - begunAt;
    },
    read: () => ({ gpuMs: Math.round(performance.now() - begunAt), firstTokenMs }),
  };
}
