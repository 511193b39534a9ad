import type { KeyRecord, Keyring } from "@forebay/access-keys";
import { isLoopbackName } from "@forebay/service-runtime";
import { getCookie } from "hono/cookie";
import type { DashboardContext } from "../dashboard-env.ts";
import type { Session, Sessions } from "./sessions.ts";
import { openViewer, type Viewer, viewerOfKey } from "./viewer.ts";

export const sessionCookie = "forebay_session";

type Visit =
  | { kind: "known"; viewer: Viewer; session: Session | undefined }
  /** Open mode, but called by a name that is not this machine's: a web page that made its name point here. */
  | { kind: "misnamed" }
  | { kind: "unknown" };

type Login = { kind: "ok"; viewer: Viewer; cookie: string } | { kind: "refused"; why: string };

/** Decides who comes in. */
export type Gate = {
  identify(context: DashboardContext): Promise<Visit>;
  login(secret: string): Promise<Login>;
};

/** @param openAllowed only where nobody but this machine can connect: should every key vanish, a public board stays shut */
export function createGate(keyring: Keyring, sessions: Sessions, openAllowed: boolean): Gate {
  async function ofSession(session: Session): Promise<Viewer | undefined> {
    const answer = await keyring.authenticateId(session.keyId);
    if (answer.kind !== "ok" || !sessions.isOf(session, answer.key)) return undefined;
    return viewerOfKey(answer.key, session.id);
  }

  return {
    async identify(context) {
      const session = sessions.read(getCookie(context, sessionCookie));
      const viewer = session && (await ofSession(session));
      if (viewer) return { kind: "known", viewer, session };
      if (!openAllowed || !(await keyring.isOpen())) return { kind: "unknown" };
      if (!isLoopbackName(context.req.header("host"))) return { kind: "misnamed" };
      return { kind: "known", viewer: openViewer, session: undefined };
    },
    async login(secret) {
      const answer = await keyring.authenticate(secret);
      if (answer.kind !== "ok") {
        return { kind: "refused", why: answer.kind === "refused" ? answer.why : "unknown" };
      }
      return startSession(answer.key, sessions);
    },
  };
}

function startSession(key: KeyRecord, sessions: Sessions): Login {
  const { session, cookie } = sessions.start(key);
  const viewer = viewerOfKey(key, session.id);
  return viewer ? { kind: "ok", viewer, cookie } : { kind: "refused", why: "role" };
}
