export * from "./key-record.ts";
export * from "./key-secret.ts";
export * from "./key-store.ts";
export * from "./keyring.ts";
