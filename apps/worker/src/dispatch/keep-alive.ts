/** A model whose jobs wait stays so much longer: Ollama throws out the one with the shortest time first. */
const waitedFor = 6;

/**
 * How long a model is to stay in memory after a call, in seconds.
 *
 * @param idleS how long when nothing waits for it; undefined: Ollama's own setting is left alone
 */
export function keepAliveS(idleS: number | undefined, jobsWait: boolean): number | undefined {
  return idleS === undefined ? undefined : jobsWait ? idleS * waitedFor : idleS;
}
