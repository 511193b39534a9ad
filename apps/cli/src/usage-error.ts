/** What was typed cannot be understood; the text says what to type instead. Ends the command with status 2. */
export class UsageError extends Error {
  readonly code = "usage";
  /** The command whose `--help` explains it. */
  readonly command: string;
  constructor(message: string, command: string, options?: ErrorOptions) {
    super(message, options);
    this.command = command;
  }
}
