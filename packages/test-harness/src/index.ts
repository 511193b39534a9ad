import type {} from "./provided-context.ts";

export { freePort, isPortFree } from "./free-port.ts";
export { isAlive } from "./is-alive.ts";
export { isRedisReady } from "./is-redis-ready.ts";
export { type FaultyProxy, openFaultyProxy } from "./open-faulty-proxy.ts";
export { openReaper, type Reaper } from "./open-reaper.ts";
export { type ServiceName, type ServiceProcess, startService, startSimulator } from "./service-processes.ts";
export { type ProcessHandle, type ProcessOptions, startProcess } from "./start-process.ts";
export { type RedisOptions, type RedisSandbox, startRedis } from "./start-redis.ts";
export { type Stack, type StackOptions, startStack } from "./start-stack.ts";
export { waitFor } from "./wait-for.ts";
