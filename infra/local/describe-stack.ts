import { httpUrl } from "@forebay/service-runtime";
import type { LocalConfig } from "./local-config.ts";

/** What a person needs next: where everything is, and a command to paste. */
export function describeStack(
  config: LocalConfig,
  { redisUrl, ollamaUrls, model }: { redisUrl: string; ollamaUrls: string; model: string | undefined },
): string {
  const { addresses, dashboardBasePath, dataDir } = config;
  const api = httpUrl(addresses.API_PORT);
  const metrics = Object.entries(addresses)
    .filter(([variable]) => variable.endsWith("_OPS_PORT"))
    .map(([, address]) => `${httpUrl(address)}/metrics`);
  const body = JSON.stringify({ ...(model && { model }), prompt: "Why is the sky blue?" });
  return `
Forebay is up.

  API        ${api}
  docs       ${api}/docs
  try it     ${api}/playground
  dashboard  ${httpUrl(addresses.DASHBOARD_PORT)}${dashboardBasePath}/
  metrics    ${metrics.join("\n             ")}
  Redis      ${withoutPassword(redisUrl)}
  Ollama     ${ollamaUrls}
  logs       ${dataDir}/logs

Try it:

  curl -s ${api}/jobs -H 'content-type: application/json' -d '${body.replaceAll("'", "'\\''")}'
  curl -s ${api}/jobs/JOB_ID          # with the job_id of the answer
  curl -sN ${api}/jobs/JOB_ID/events  # its tokens, as they come

Ctrl-C drains and stops everything.
`;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//***@");
}
