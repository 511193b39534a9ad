import {
  findItem,
  jobIdOfItem,
  OpenaiRefusal,
  parseResponseItem,
  type ResponseBody,
  responseIdOf,
  type ResponseJob,
} from "@forebay/openai-format";
import type { Caller } from "../../../auth/caller.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";
import { findResponse } from "./find-response.ts";

/** Each is a job to be read. */
const responsesMax = 100;

/** An input with the items its references stand for. Throws OpenaiRefusal. */
export async function resolveReferences(
  deps: JobDeps,
  caller: Caller,
  input: ResponseBody["input"],
): Promise<ResponseBody["input"]> {
  if (typeof input === "string") return input;
  const read = new Map<string, ResponseJob>();
  const resolved = [];
  for (const [index, item] of input.entries()) {
    if (item.type !== "item_reference") {
      resolved.push(item);
      continue;
    }
    const found = await findReferenced(deps, caller, item.id, read);
    if (!found) {
      const param = `input[${index}].id`;
      throw new OpenaiRefusal(400, `${param}: Item with id '${item.id.slice(0, 100)}' not found.`, { param });
    }
    resolved.push(parseResponseItem(found));
  }
  return resolved;
}

async function findReferenced(
  deps: JobDeps,
  caller: Caller,
  id: string,
  read: Map<string, ResponseJob>,
): Promise<object | undefined> {
  const jobId = jobIdOfItem(id);
  if (jobId === undefined || read.size >= responsesMax) return undefined;
  try {
    const response = read.get(jobId) ?? (await findResponse(deps, caller, responseIdOf(jobId))).response;
    read.set(jobId, response);
    return findItem(response, id);
  } catch (error) {
    if (error instanceof OpenaiRefusal && error.status === 404) return undefined;
    throw error;
  }
}
