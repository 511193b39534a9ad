import { z } from "zod";

/**
 * How urgent a job is, chosen by the caller. Lanes share the GPU by weight, so even `batch` always moves.
 *
 * - `interactive`: a person is looking at the screen.
 * - `standard`: the default; a service waits for the answer.
 * - `batch`: nobody waits; takes what the others leave, and never nothing.
 */
export const laneSchema = z
  .enum(["interactive", "standard", "batch"])
  .describe(
    "How urgent: `interactive` a person is looking at the screen, `standard` a service waits, `batch` nobody waits.",
  );
export type Lane = z.infer<typeof laneSchema>;

/**
 * BullMQ priority of a job that has no place among the others yet: one put straight with BullMQ, or not due yet. Lower
 * runs first. Forebay gives it its place by fair shares (a much higher number) before it would run, in the lane its payload
 * names; these only order such jobs among themselves until then. 0 is never written: BullMQ would run it before
 * everything. Callers name a lane; nobody but the queue's own code writes priorities.
 */
export const lanePriority: Readonly<Record<Lane, number>> = {
  interactive: 1_000,
  standard: 1_000_000,
  batch: 2_000_000,
};
