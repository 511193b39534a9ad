/** Becomes `{"error": message}` with this status, as long as nothing was sent yet. */
export class OllamaError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
