import type { Promised } from "@forebay/queue-bullmq";

/** What one more job would stand behind, and how room in it is counted. */
export type Line = {
  readonly name: string;
  /** How long the line is. */ readonly levelMs: number;
  /** Milliseconds of it that one unit of room is. */ readonly msPerUnit: number;
  /** Milliseconds promised of other lines before the same hosts. */ readonly others: Promised;
  /** Room of it is promised to somebody. */ readonly promised: boolean;
};

/** The line of all waiting jobs. No model's name: those have a tag. */
export const countLineName = "jobs";

/** A line and how long it may be. */
export type BoundedLine = Line & {
  readonly limitMs: number;
  /** Units one job needs. */ readonly amount: number;
};
