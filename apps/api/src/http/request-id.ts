import { randomBytes } from "node:crypto";

const given = /^[\w.:/+=-]{1,128}$/;

/** Names one request in answers and logs: the caller's own name for it if that is harmless, else a new one. */
export type RequestIds = (fromCaller: string | undefined) => string;

/** Random once per process and counting from there: unique, and as cheap as a name can be. */
export function createRequestIds(): RequestIds {
  const prefix = `req_${randomBytes(6).toString("hex")}`;
  let next = 0;
  return (fromCaller) =>
    fromCaller !== undefined && given.test(fromCaller) ? fromCaller : `${prefix}${(next++).toString(36)}`;
}
