export { ConfigError } from "./config-error.ts";
export { loadConfig } from "./load-config.ts";
export { createLogger, type Logger } from "./logger.ts";
export { type Counter, createMetrics, type Gauge, type Histogram, type Metrics } from "./metrics.ts";
export { type HttpServer, type HttpServerOptions, openHttpServer } from "./open-http-server.ts";
export { type OpsServerOptions, openOpsServer } from "./ops-server.ts";
export { PortInUseError } from "./port-in-use-error.ts";
export { exitOnConfigError, runService, type ServiceContext } from "./run-service.ts";
