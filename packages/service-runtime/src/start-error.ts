/**
 * Why a process cannot start, told to the person who starts it: its message says all there is to say, and is
 * logged without a stack.
 */
export class StartError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
    this.code = code;
  }
}
