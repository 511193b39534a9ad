import type { QueueSpace } from "./queue-space.ts";

/** What is made once for each space, at its first use, and forgotten with it. */
export function perSpace<T>(create: (space: QueueSpace) => T): (space: QueueSpace) => T {
  const made = new WeakMap<QueueSpace, { value: T }>();
  return (space) => {
    const known = made.get(space);
    if (known) return known.value;
    const value = create(space);
    made.set(space, { value });
    return value;
  };
}
