export type Capability = "completion" | "tools" | "thinking" | "vision" | "embedding" | "insert";
export const capabilities: readonly Capability[] = [
  "completion",
  "tools",
  "thinking",
  "vision",
  "embedding",
  "insert",
];
