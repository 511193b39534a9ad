/** Slots shared by everything that runs in this process. */
export type InFlightLimit = {
  /** Takes as many as are free, at most `wanted`; 0: none is. */
  take(wanted: number): number;
  /** Takes them whether or not they are free. */
  force(count: number): void;
  give(count: number): void;
  readonly used: number;
};

export function createInFlightLimit(max: number, onChange: (used: number) => void): InFlightLimit {
  let used = 0;
  const change = (by: number): void => {
    used += by;
    onChange(used);
  };
  return {
    get used() {
      return used;
    },
    take(wanted) {
      const given = Math.max(0, Math.min(wanted, max - used));
      change(given);
      return given;
    },
    force: (count) => change(count),
    give: (count) => change(-count),
  };
}
