import { readRegistry, setWish } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { Problem } from "../../../http/problem.ts";
import { refuseQuery } from "../../../http/query.ts";
import type { CapacityDeps } from "./capacity-deps.ts";

/** Longer names are in no configuration. */
const nameCharsMax = 256;

/** `POST /capacity/backends/{name}/drain`, and with `draining` false `…/undrain`. */
export function drainBackend({ space }: CapacityDeps, draining: boolean): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const name = context.req.param("name") ?? "";
    // One that is gone may have been drained for good reason, and be wanted back.
    const known = draining ? await isKnown(space, name) : name.length <= nameCharsMax;
    if (!known) {
      throw new Problem(
        "backend_not_found",
        "No live worker feeds a backend of this name; GET /capacity lists those there are.",
      );
    }
    await setWish(space, "draining", name, draining);
    return jsonResponse(200, { backend: name, draining });
  };
}

async function isKnown(space: CapacityDeps["space"], name: string): Promise<boolean> {
  const { leases } = await readRegistry(space);
  return leases.some(({ backends }) => backends.some((backend) => backend.name === name));
}
