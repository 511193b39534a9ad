import type { Metrics } from "@forebay/service-runtime";

const secondsBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

export function createWorkerMetrics(metrics: Metrics) {
  return {
    finished: metrics.counter(
      "forebay_jobs_finished_total",
      "Jobs that ended, by how; code is the failure code, empty for completed ones.",
      ["type", "model", "outcome", "code"],
    ),
    attempts: metrics.counter("forebay_job_attempts_total", "Starts of jobs that ended, by outcome.", [
      "model",
      "outcome",
    ]),
    queueWait: metrics.histogram(
      "forebay_job_queue_wait_seconds",
      "From a job's creation to its first start.",
      ["type", "model", "lane"],
      secondsBuckets,
    ),
    costRatio: metrics.histogram(
      "forebay_job_cost_ratio",
      "Time a completed job held a slot, over what was expected of it; 1 is right.",
      ["model"],
      [0.1, 0.25, 0.5, 0.75, 0.9, 1.1, 1.33, 2, 4, 10],
    ),
    etas: metrics.counter(
      "forebay_job_eta_total",
      "Starts that were foretold, by whether they fell into the range told; four of five should.",
      ["outcome"],
    ),
    firstToken: metrics.histogram(
      "forebay_job_time_to_first_token_seconds",
      "From the call of the backend to its first line.",
      ["type", "model", "outcome"],
      secondsBuckets,
    ),
    duration: metrics.histogram(
      "forebay_job_duration_seconds",
      "From a job's creation to its end.",
      ["type", "model", "outcome"],
      secondsBuckets,
    ),
    fallbacks: metrics.counter(
      "forebay_job_fallbacks_total",
      "Jobs that failed with their model and went on with the next one of its chain; code is the failure code.",
      ["model", "to", "code"],
    ),
    tokens: metrics.counter("forebay_tokens_total", "Tokens read (in) and written (out).", [
      "model",
      "direction",
    ]),
    answersChecked: metrics.counter(
      "forebay_answers_checked_total",
      "Answers that had to be of a form (`format`): valid at once, valid after being repaired, a mismatch even so, or unchecked (cut by a limit, a tool call).",
      ["model", "result"],
    ),
    gpuSeconds: metrics.counter("forebay_gpu_seconds_total", "Seconds slots were held by completed calls.", [
      "model",
      "backend",
    ]),
    backendUp: metrics.gauge("forebay_backend_up", "1 while the backend answers.", ["backend"]),
    slots: metrics.gauge("forebay_backend_slots", "Calls a backend is given at once, per model.", [
      "backend",
      "model",
    ]),
    slotsUsed: metrics.gauge("forebay_backend_slots_used", "Calls a backend holds now, per model.", [
      "backend",
      "model",
    ]),
    served: metrics.gauge(
      "forebay_backend_model_served",
      "1 while jobs for the model are given to the backend; 0: it is down, draining, or left alone after failures.",
      ["backend", "model"],
    ),
    draining: metrics.gauge(
      "forebay_backend_draining",
      "1 while an operator has the backend take nothing new.",
      ["backend"],
    ),
    loads: metrics.counter(
      "forebay_model_loads_total",
      "Loads of a model that this worker's calls made a backend do.",
      ["backend", "model"],
    ),
    stalled: metrics.counter("forebay_jobs_stalled_total", "Jobs taken from a worker that died.", ["model"]),
    locksLost: metrics.counter("forebay_job_locks_lost_total", "Jobs whose lock this worker lost.", [
      "model",
    ]),
  };
}
