export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}
