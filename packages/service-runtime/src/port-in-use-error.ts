import { StartError } from "./start-error.ts";

/** A port could not be opened because another process listens on it. */
export class PortInUseError extends StartError {
  override readonly code = "port_in_use";
  readonly port: number;

  /** @param address with `portVariable`, the environment variable that chooses this port. */
  constructor(
    address: { host: string; port: number; portVariable?: string | undefined },
    options?: ErrorOptions,
  ) {
    const { host, port, portVariable } = address;
    const advice = portVariable ? `set ${portVariable} to a free port` : "choose a free port";
    super(
      "port_in_use",
      `Port ${port} on ${host} is taken by another process: stop that process, or ${advice}.`,
      options,
    );
    this.name = "PortInUseError";
    this.port = port;
  }
}
