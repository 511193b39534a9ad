export * from "./count-chars.ts";
export * from "./estimate-job.ts";
export * from "./lane-weights.ts";
export * from "./model-costs.ts";
export * from "./observe-job.ts";
export * from "./tags.ts";
export * from "./estimate-start.ts";
export * from "./eta-range.ts";
