export * from "./estimate-job.ts";
export * from "./lane-weights.ts";
export * from "./model-costs.ts";
export * from "./tags.ts";
