import { httpUrl, type Logger, type ServiceContext } from "@forebay/service-runtime";
import { freePort, openReaper } from "@forebay/test-harness";
import { checkPorts } from "./check-ports.ts";
import { checkRedisUrl } from "./check-redis-url.ts";
import { chooseOllama } from "./choose-ollama.ts";
import { describeStack } from "./describe-stack.ts";
import type { LocalConfig } from "./local-config.ts";
import { openDataDirLock } from "./open-data-dir-lock.ts";
import { openSupervised, type Program, type Supervision } from "./open-supervised.ts";
import { createRedisProgram } from "./redis-program.ts";
import { runSampleJob } from "./run-sample-job.ts";
import { createServicePrograms, createSimulatorProgram, serviceNames } from "./service-programs.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

export interface LocalStackContext extends ServiceContext {
  logger: Logger;
  sample: boolean;
  say: (line: string) => void;
  /** Text as it is, without an end of line. */
  write: (text: string) => void;
}

interface Opening extends LocalStackContext {
  supervision: Supervision;
}

const simulatorModels = ["llama3.2:3b", "qwen3:8b", "nomic-embed-text"];

/** Redis, an Ollama and all services, in this order; whatever it opens goes on the context's stack. */
export async function startLocalStack(config: LocalConfig, context: LocalStackContext): Promise<void> {
  const { stack, stopping, logger, fail, say } = context;
  await checkPorts(config.addresses);
  stack.use(openDataDirLock(config.dataDir));
  const reaper = openReaper({ graceMs: config.stopTimeoutMs });
  const supervision = { logger, reaper, stopping, giveUp: fail, stopTimeoutMs: config.stopTimeoutMs };
  const opening = { ...context, supervision };

  const redisUrl = config.redisUrl ?? (await openRedis(config, opening));
  if (config.redisUrl !== undefined) await checkRedisUrl(config.redisUrl);
  const ollama = await openOllama(config, opening);
  const model = config.defaultModel ?? ollama.models[0];

  say(`• Services: ${serviceNames.join(", ")} …`);
  await openServices(config, opening, {
    REDIS_URL: redisUrl,
    OLLAMA_URLS: ollama.urls,
    ...(model !== undefined && { OLLAMA_DEFAULT_MODEL: model }),
  });
  if (context.sample) await trySample(config, context, model);
  say(describeStack(config, { redisUrl, ollamaUrls: ollama.urls, model }));
}

async function openRedis(config: LocalConfig, opening: Opening): Promise<string> {
  const { port, ...program } = await createRedisProgram(config);
  await open(program, opening);
  const why = port === 6379 ? "" : " (6379 is taken by another process)";
  opening.say(`✓ Redis on port ${port}${why}, its data in ${config.dataDir}/redis`);
  return `redis://127.0.0.1:${port}`;
}

async function openOllama(
  config: LocalConfig,
  opening: Opening,
): Promise<{ urls: string; models: readonly string[] }> {
  const { say, logger } = opening;
  const { kind, urls, models, silent } = await chooseOllama(config);
  if (urls !== undefined) {
    if (silent) logger.warn(`No Ollama answers at OLLAMA_URLS=${urls} yet: jobs will wait for it.`);
    else
      say(
        `✓ Ollama at ${urls}${kind === "found" ? " (found)" : ""}: ${models.join(", ") || "no models pulled"}`,
      );
    return { urls, models };
  }
  const port = await freePort();
  await open(createSimulatorProgram(config, port, simulatorModels), opening);
  say(`✓ No Ollama at 127.0.0.1:11434 and OLLAMA_URLS is not set: using the simulator on port ${port}.`);
  say("  Its answers are made up; the queue in front of it is real.");
  return { urls: `http://127.0.0.1:${port}`, models: simulatorModels };
}

async function open(program: Program, { stack, supervision }: Opening): Promise<void> {
  await stack.use(openSupervised(program, supervision)).ready;
}

async function openServices(
  config: LocalConfig,
  opening: Opening,
  own: Record<string, string>,
): Promise<void> {
  const { stack, supervision, logger, fail, say } = opening;
  const services = createServicePrograms(config, own).map((program) => ({
    program,
    ready: stack.use(openSupervised(program, supervision)).ready,
  }));
  await Promise.all(
    services.map(async ({ program, ready }) => {
      const reason = await waitUntilReady(ready, program.readyUrl);
      if (reason === undefined) return say(`✓ ${program.name}`);
      logger.warn(`${program.name} runs but is not ready yet: ${reason}`);
      // It may still die before it gets ready, when nobody waits any more.
      ready.catch(fail);
    }),
  );
}

async function trySample(
  config: LocalConfig,
  context: LocalStackContext,
  model: string | undefined,
): Promise<void> {
  const { stopping: signal, say, logger } = context;
  if (model === undefined) {
    logger.warn("No sample job: this Ollama has no model yet (`ollama pull llama3.2:3b`).");
    return;
  }
  try {
    await runSampleJob({
      apiUrl: httpUrl(config.addresses.API_PORT),
      apiKey: config.apiKey,
      model,
      signal,
      say,
      write: context.write,
    });
  } catch (error) {
    signal.throwIfAborted();
    // The stack is up, and whoever looks for the cause needs it so.
    logger.error(`Sample job: ${error instanceof Error ? error.message : error}`);
  }
}
