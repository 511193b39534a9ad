export class BlobMissingError extends Error {
  readonly code = "blob_missing";
  constructor(key: string, options?: ErrorOptions) {
    super(`there is no blob ${key}`, options);
  }
}
