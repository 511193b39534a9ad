import type { Viewer } from "../access/viewer.ts";
import type { PageConfig } from "./rewrite-page.ts";

/** What the board's page says about who looks at it and what that allows. */
export function pageConfig(viewer: Viewer, basePath: string, readOnly: boolean): PageConfig {
  const open = viewer.keyId === undefined;
  const parts = [
    open ? "No API keys exist: open to everybody on this machine" : `${viewer.name} (${viewer.role})`,
    viewer.seesPayloads ? "prompts are shown" : "prompts are hidden",
    readOnly || viewer.role !== "admin" ? "read-only" : "changes are allowed",
  ];
  return {
    environment: { label: parts.join(" · "), ...(open ? warningColors : quietColors) },
    miscLinks: open ? [] : [{ text: "Log out", url: `${basePath}/logout` }],
  };
}

const warningColors = { color: "#8a4b08", textColor: "#ffffff" };
const quietColors = { color: "#24405f", textColor: "#ffffff" };
