import type { z } from "zod";
import type { ProblemCode } from "../http/problem-codes.ts";

/** What the OpenAPI document and the page made from it say about one operation; kept beside its handler. */
export type Operation = {
  readonly method: "get" | "post" | "patch" | "delete";
  /** As OpenAPI writes it: `/jobs/{id}`. */
  readonly path: string;
  readonly id: string;
  readonly tag: "jobs" | "schedules" | "models" | "openai" | "anthropic" | "ollama" | "operators" | "about";
  readonly summary: string;
  /** Markdown. */
  readonly description?: string;
  /** No API key is needed. */
  readonly open?: boolean;
  readonly parameters?: readonly Parameter[];
  readonly body?: {
    readonly schema: z.ZodType;
    readonly examples: Readonly<Record<string, unknown>>;
    /** Default application/json. */ readonly mediaType?: string;
  };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Refusals that mean something here; those that any request may meet are added. */
  readonly problems: readonly ProblemCode[];
  /** Where refusals are not problems but have a shape of their own: what each status means. */
  readonly refusals?: {
    readonly schema: z.ZodType;
    readonly statuses: Readonly<Record<number, string>>;
  };
  /** A command that works as it stands against `npm start`; `$ID` is a job's id. */
  readonly curl?: string;
};

export type Parameter = {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description: string;
  readonly schema: z.ZodType;
};

export type Answer = {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly headers?: Readonly<Record<string, string>>;
};
