/** The command is over with a status of its own; `message` is the last thing it says. */
export class CommandError extends Error {
  readonly code = "command";
  readonly status: number;
  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** The job ended, without a result. */
export const jobFailedStatus = 3;
/** As shells say it of a command that Ctrl-C ended. */
export const interruptedStatus = 130;
