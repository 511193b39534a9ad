import type { KeyRecord } from "@forebay/access-keys";

/** Who looks at the board, and what they may see and do. */
export type Viewer = {
  /** undefined in open mode. */
  readonly keyId: string | undefined;
  readonly name: string;
  readonly role: "operator" | "admin";
  /** Whether prompts, answers and error texts are shown. */
  readonly seesPayloads: boolean;
  /** The session, or a constant in open mode: what the token against forged requests is bound to. */
  readonly sessionId: string;
};

/** While no key exists: whoever reaches the loopback address owns the machine. */
export const openViewer: Viewer = {
  keyId: undefined,
  name: "open",
  role: "admin",
  seesPayloads: true,
  sessionId: "open",
};

/** undefined: the key's role has no business here. */
export function viewerOfKey(key: KeyRecord, sessionId: string): Viewer | undefined {
  const { role, name } = key;
  if (role === "client") return undefined;
  return { keyId: key.id, name, role, seesPayloads: role === "admin", sessionId };
}
