import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyRecord } from "@forebay/access-keys";
import { z } from "zod";

const sessionSchema = z.object({
  id: z.string(),
  keyId: z.string(),
  /** Stands for the key's secret without telling it: the session ends when the key is rotated. */
  keyPrint: z.string(),
  expiresAt: z.number(),
});
export type Session = z.infer<typeof sessionSchema>;

/** Logins, kept in a signed cookie and not on the server: they survive a restart if the secret does. */
export type Sessions = {
  start(key: KeyRecord): { session: Session; cookie: string };
  /** undefined: forged, expired, ended, or signed with another secret. */
  read(cookie: string | undefined): Session | undefined;
  isOf(session: Session, key: KeyRecord): boolean;
  /** This process accepts it no more, whoever has a copy of the cookie. */
  end(session: Session): void;
  /** A token that only pages shown in this session know. */
  csrfToken(sessionId: string): string;
};

export function createSessions(options: { secret: string; ttlMs: number; now?: () => number }): Sessions {
  const { secret, ttlMs, now = Date.now } = options;
  const ended = new Map<string, number>();
  // What for comes first, so that a token of one kind is never one of another.
  const sign = (purpose: string, text: string): string =>
    createHmac("sha256", secret).update(`${purpose}:${text}`).digest("base64url");
  const printOf = (key: KeyRecord): string => sign("key", key.hash).slice(0, 16);

  return {
    start(key) {
      const id = randomBytes(16).toString("base64url");
      const session = { id, keyId: key.id, keyPrint: printOf(key), expiresAt: now() + ttlMs };
      const body = Buffer.from(JSON.stringify(session)).toString("base64url");
      return { session, cookie: `${body}.${sign("session", body)}` };
    },
    read(cookie) {
      const [body = "", signature = ""] = (cookie ?? "").split(".");
      if (!equal(signature, sign("session", body))) return undefined;
      const session = sessionSchema.parse(JSON.parse(Buffer.from(body, "base64url").toString()));
      return session.expiresAt > now() && !ended.has(session.id) ? session : undefined;
    },
    isOf: (session, key) => session.keyId === key.id && equal(session.keyPrint, printOf(key)),
    end(session) {
      for (const [id, expiresAt] of ended) if (expiresAt <= now()) ended.delete(id);
      ended.set(session.id, session.expiresAt);
    },
    csrfToken: (sessionId) => sign("csrf", sessionId),
  };
}

/** Equal texts, in a time that says nothing about where they differ. */
export function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
