import type { DeadLetter, StartRecord } from "@forebay/queue-contracts";

const attemptsMax = 200;

/**
 * The letter of a job that was put back and failed again: dead once more, with the new failure and payload,
 * and the history of the old one.
 *
 * `last_failed_at` says *which* failure the letter is about, so it is the new one's even if another worker's
 * clock makes it the earlier of the two.
 */
export function mergeDeadLetter(earlier: DeadLetter, latest: DeadLetter): DeadLetter {
  return {
    ...latest,
    attempts: joinAttempts(earlier.attempts, latest.attempts),
    created_at: earlier.created_at,
    first_failed_at:
      earlier.first_failed_at < latest.first_failed_at ? earlier.first_failed_at : latest.first_failed_at,
    redrives: earlier.redrives,
  };
}

/** The job's record usually holds the earlier starts too; not when it had aged out and was made anew. */
function joinAttempts(earlier: readonly StartRecord[], latest: readonly StartRecord[]): StartRecord[] {
  const key = ({ at, worker }: StartRecord): string => `${at} ${worker}`;
  const known = new Set(latest.map(key));
  return [...earlier.filter((start) => !known.has(key(start))), ...latest].slice(-attemptsMax);
}
