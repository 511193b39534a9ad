import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import packageJson from "../package.json" with { type: "json" };

export type { Counter, Gauge, Histogram } from "prom-client";

export interface Metrics {
  registry: Registry;
  counter<L extends string>(name: string, help: string, labels: readonly L[]): Counter<L>;
  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): Histogram<L>;
  gauge<L extends string>(name: string, help: string, labels: readonly L[]): Gauge<L>;
}

/**
 * How often a timer looks whether the event loop is late. The default of 10 ms takes 1 % of a core, in a process that
 * does nothing else; what matters is later than this.
 */
const eventLoopSampleMs = 100;

/** A registry of its own (nothing global) with Node's default metrics and which service this is. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopSampleMs });
  const metrics: Metrics = {
    registry,
    counter: (name, help, labelNames) => new Counter({ name, help, labelNames, registers }),
    histogram: (name, help, labelNames, buckets) =>
      new Histogram({ name, help, labelNames, buckets: [...buckets], registers }),
    gauge: (name, help, labelNames) => new Gauge({ name, help, labelNames, registers }),
  };
  metrics
    .gauge("forebay_service_info", "Always 1; says which service and version answers.", [
      "service",
      "version",
    ])
    // All services are released together, so this package's version is theirs.
    .set({ service, version: packageJson.version }, 1);
  return metrics;
}
