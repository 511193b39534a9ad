import type { IncomingHttpHeaders } from "node:http";
import type { Authentication, Keyring, Role } from "@forebay/access-keys";
import { isLoopbackName } from "@forebay/service-runtime";
import type { ApiMiddleware } from "../http/api-env.ts";
import { Problem } from "../http/problem.ts";
import { type Caller, callerOfKey, openCaller } from "./caller.ts";

/**
 * Requires a valid key, or open mode. `openAllowed` only where nobody but this machine can connect: should
 * every key vanish from Redis, a public server must not turn into an open one.
 */
export function authenticate(keyring: Keyring, openAllowed: boolean): ApiMiddleware {
  return async (context, next) => {
    const { headers } = context.env.incoming;
    context.set("caller", await identify(keyring, openAllowed, headers));
    await next();
  };
}

/** Requires one of the roles; mounted behind `authenticate`. */
export function requireRole(...roles: Role[]): ApiMiddleware {
  return async (context, next) => {
    const { role } = context.get("caller");
    if (!roles.includes(role)) {
      throw new Problem("forbidden", `This needs a key with the role ${roles.join(" or ")}, not ${role}.`);
    }
    await next();
  };
}

/** Who makes a request. Throws Problem. */
export async function identify(
  keyring: Keyring,
  openAllowed: boolean,
  headers: IncomingHttpHeaders,
): Promise<Caller> {
  const secret = secretOf(headers);
  const answer = await keyring.authenticate(secret);
  if (answer.kind === "ok") return callerOfKey(answer.key);
  // SDKs insist on sending some key, also to a server that has none.
  const open = answer.kind === "open" || (answer.why === "unknown" && (await keyring.isOpen()));
  if (!open || !openAllowed) throw unauthorized(answer, secret !== undefined);
  // A web page whose name was made to resolve to 127.0.0.1 is the one stranger who can get here.
  if (!isLoopbackName(headers.host)) {
    throw new Problem("forbidden", "While no API key exists, call this server as localhost or 127.0.0.1.");
  }
  return openCaller;
}

function secretOf(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? "";
  const secret = headers["x-api-key"] ?? headers["x-ollama-key"];
  return typeof secret === "string" ? secret : undefined;
}

const reasons = {
  missing: "Send an API key: Authorization: Bearer fbk_…",
  unknown: "This API key is not known.",
  disabled: "This API key is disabled.",
  expired: "This API key has expired.",
};

function unauthorized(answer: Authentication, sent: boolean): Problem {
  const why = answer.kind === "refused" ? answer.why : "missing";
  const challenge = `Bearer realm="forebay"${sent ? ', error="invalid_token"' : ""}`;
  return new Problem("unauthorized", reasons[why], { headers: { "www-authenticate": challenge } });
}
