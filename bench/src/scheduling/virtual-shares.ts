/** What of a job its place goes by. */
export type ShareJob = {
  readonly model: string;
  readonly flow: string;
  readonly weight: number;
  readonly expectedMs: number;
};

/** A job with its place: where its stretch of virtual time begins, and the middle of it. */
export type Tagged<Job> = Job & { readonly startTag: number; readonly tag: number };

/** Places of jobs as Redis gives them, without what is settled when they end. */
export function createVirtualShares() {
  let virtual = 0;
  const ofModel = new Map<string, number>();
  const ends = new Map<string, number>();
  return {
    /** @param othersWait whether jobs for its model wait: who joins them begins where they are */
    place<Job extends ShareJob>(job: Job, othersWait: boolean): Tagged<Job> {
      const from = (othersWait ? ofModel.get(job.model) : undefined) ?? virtual;
      const startTag = Math.max(from, ends.get(job.flow) ?? 0);
      const stretch = job.expectedMs / job.weight;
      ends.set(job.flow, startTag + stretch);
      return { ...job, startTag, tag: startTag + stretch / 2 };
    },
    taken({ model, startTag }: Tagged<ShareJob>): void {
      virtual = Math.max(virtual, startTag);
      ofModel.set(model, Math.max(startTag, ofModel.get(model) ?? 0));
    },
  };
}
