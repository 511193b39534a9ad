import { type Capacity, readCapacity, setDraining, setPaused } from "./capacity.ts";
import { ForebayError } from "./errors.ts";
import type { JobEvent } from "./job-event.ts";
import { jobOf } from "./job-of.ts";
import { jobPath } from "./job-path.ts";
import type { JobView } from "./job-view.ts";
import { type JobPage, type ListQuery, listJobs } from "./list-jobs.ts";
import { type ListedModel, listModels } from "./list-models.ts";
import type { NewJob } from "./new-job.ts";
import { type CallOptions, request, requestRepeatedly, type Server } from "./request.ts";
import { type StreamOptions, streamEvents } from "./stream-events.ts";
import { streamText, type TextPiece } from "./stream-text.ts";
import { type SubmitOptions, submitJob } from "./submit-job.ts";
import { type WaitOptions, waitForJob } from "./wait-for-job.ts";

export type ClientOptions = {
  /** Where the API is, such as `https://forebay.example.com`; a path before `/jobs` is kept. */
  baseUrl: string | URL;
  /** `fbk_…`; none is needed where the server has no keys. */
  apiKey?: string | undefined;
  /** Default: the platform's. */
  fetch?: typeof fetch | undefined;
  /** How often a request is repeated that failed for a passing reason. Default 4. */
  retries?: number | undefined;
};

/** Everything rejects with a ForebayError, or with the reason of the signal that was given. */
export type ForebayClient = {
  /**
   * Puts a job on the queue. Safe by itself: each call makes an Idempotency-Key, and repeats the request with it
   * while the server is out of reach, busy (503) or over a limit (429), as long as the server asks to wait.
   */
  submit(job: NewJob, options?: SubmitOptions): Promise<JobView>;
  get(id: string, options?: CallOptions): Promise<JobView>;
  /** The key's tenant's jobs, newest first, without results. */
  list(query?: ListQuery, options?: CallOptions): Promise<JobPage>;
  /**
   * The job once it ended, or as it is when `timeoutMs` passed: look at its state. Survives restarts of the server.
   */
  wait(id: string, options?: WaitOptions): Promise<JobView>;
  /**
   * Every event of a job after `after`, in order and once, up to the one that tells how it ended. Comes back by
   * itself when the connection breaks. Throws OffsetLostError when events in between are not kept any more.
   */
  stream(id: string, options?: StreamOptions): AsyncGenerator<JobEvent, void, undefined>;
  /** The answer as text while it is made; returns the job. Throws JobFailedError when it ended without a result. */
  streamText(id: string, options?: CallOptions): AsyncGenerator<TextPiece, JobView, undefined>;
  /** A job that waits ends at once, a running one mostly within a second: `wait` for it. 409 when it had ended. */
  cancel(id: string, options?: CallOptions): Promise<JobView>;
  /** Runs a job again that ended without a result: same id, attempts from zero. Not repeated by itself. */
  retry(id: string, options?: CallOptions): Promise<JobView>;
  /** Erases a job that does not run, its result and its log. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** The models jobs can name with this key. */
  models(options?: CallOptions): Promise<ListedModel[]>;
  /** Backends, slots, loaded models and what waits. This and the next two are for keys of operators and admins. */
  capacity(options?: CallOptions): Promise<Capacity>;
  /** Gives a backend nothing new, or uses it again; over restarts, until it is said otherwise. */
  setDraining(backend: string, draining: boolean, options?: CallOptions): Promise<void>;
  /** Lets a model's jobs wait, or run again; returns the model's whole name. */
  setPaused(model: string, paused: boolean, options?: CallOptions): Promise<string>;
};

/** Throws TypeError for a base URL that is none. Keeps no connection and nothing to close. */
export function createClient(options: ClientOptions): ForebayClient {
  const server: Server = {
    baseUrl: parseBaseUrl(options.baseUrl),
    apiKey: options.apiKey,
    // Called as a function of nobody: browsers refuse their own `fetch` as a method of something else.
    fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)),
    retries: options.retries ?? 4,
  };
  const post = (id: string, verb: string) => ({ method: "POST", path: `${jobPath(id)}/${verb}` }) as const;
  return {
    submit: (job, opts = {}) => submitJob(server, job, opts),
    get: async (id, opts = {}) =>
      jobOf(await requestRepeatedly(server, { method: "GET", path: jobPath(id) }, opts)),
    list: (query = {}, opts = {}) => listJobs(server, query, opts),
    wait: (id, opts = {}) => waitForJob(server, id, opts),
    stream: (id, opts = {}) => streamEvents(server, id, opts),
    streamText: (id, opts = {}) => streamText(server, id, opts),
    cancel: async (id, opts = {}) => jobOf(await requestRepeatedly(server, post(id, "cancel"), opts)),
    retry: async (id, opts = {}) => jobOf(await request(server, post(id, "retry"), opts.signal)),
    delete: (id, opts = {}) => deleteJob(server, id, opts),
    models: (opts = {}) => listModels(server, opts),
    capacity: (opts = {}) => readCapacity(server, opts),
    setDraining: (backend, draining, opts = {}) => setDraining(server, backend, draining, opts),
    setPaused: (model, paused, opts = {}) => setPaused(server, model, paused, opts),
  };
}

async function deleteJob(server: Server, id: string, options: CallOptions): Promise<void> {
  let tries = 0;
  const onRetry: CallOptions["onRetry"] = (retry) => {
    tries++;
    options.onRetry?.(retry);
  };
  try {
    const asked = { method: "DELETE", path: jobPath(id) } as const;
    await requestRepeatedly(server, asked, { ...options, onRetry });
  } catch (error) {
    // Erased by an earlier try whose answer got lost.
    if (!(tries > 0 && error instanceof ForebayError && error.code === "job_not_found")) throw error;
  }
}

function parseBaseUrl(baseUrl: string | URL): string {
  const url = new URL(baseUrl);
  if (url.protocol === "http:" || url.protocol === "https:") {
    return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  }
  throw new TypeError(`baseUrl must begin with http:// or https://, not ${url.protocol}`);
}
