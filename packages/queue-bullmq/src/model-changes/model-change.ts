import { z } from "zod";

/** Ollama's calls that change which models a host has. */
export const modelCallSchema = z.enum(["pull", "push", "create", "copy", "delete"]);
export type ModelCall = z.infer<typeof modelCallSchema>;

const lineSchema = z.record(z.string(), z.unknown());

/** One call for one host, as a client made it. */
export const modelChangeSchema = z.object({ call: modelCallSchema, body: lineSchema });
export type ModelChange = z.infer<typeof modelChangeSchema>;

/** What Ollama says of how far it is: `status`, and for layers `digest`, `total`, `completed` in bytes. */
export const changeLineSchema = lineSchema;
export type ChangeLine = z.infer<typeof changeLineSchema>;

/** How it went: Ollama's own status, or 502 when it could not be asked to the end. */
export const changeEndSchema = z.object({ status: z.int(), error: z.string().optional() });
export type ChangeEnd = z.infer<typeof changeEndSchema>;

/** The queue of what is asked of one host. Addresses are names too, and BullMQ allows no colon. */
export const modelChangeQueueName = (backend: string): string =>
  `{model-changes-${encodeURIComponent(backend)}}`;
