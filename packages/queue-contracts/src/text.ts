import { z } from "zod";

/**
 * Text that every hop can carry unchanged: no NUL (runners end the string there) and no half of a
 * surrogate pair (UTF-8 cannot hold one, so it would come back as a replacement character).
 */
export const textSchema = z.string().refine((text) => !text.includes("\0") && text.isWellFormed(), {
  error: "must be well-formed Unicode without NUL characters",
});

/** Text that must say something: at least one character. */
export const filledTextSchema = textSchema.min(1, { error: "must not be empty" });

/** A short name used in keys and labels (tenant, user, metadata keys): 1–64 printable characters. */
export const nameSchema = z
  .string()
  .regex(/^[\p{L}\p{N}_.@/+-]{1,64}$/u, { error: "must be 1-64 letters, digits or _ . @ / + -" });
