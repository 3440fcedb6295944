/** The composition root: settings in, a running service out. The only file that names concrete classes. */
import { realpath } from 'node:fs/promises';
import type { Config } from './config.js';
import { openEncoder } from './encoder/index.js';
import { MixspaceError } from './errors.js';
import { settleCollections } from './operations/collections.js';
import type { Context } from './operations/context.js';
import { watchReadiness, type Readiness } from './operations/readiness.js';
import { openEmbeddedStore } from './store/embedded/index.js';
import { openTelemetry, type Telemetry } from './telemetry.js';

export interface Service {
  context: Context;
  readiness: Readiness;
  telemetry: Telemetry;
  /** Work under way ends, graphs are saved, files closed. */
  close(): Promise<void>;
}

/** @throws MixspaceError: another process on the index directory, no usable model, a root that is not there. */
export async function openService(config: Config): Promise<Service> {
  const telemetry = openTelemetry({ level: config.logLevel });
  const { log, stage } = telemetry;
  const roots = await Promise.all(
    config.roots.map((root) =>
      realpath(root).catch(() => {
        throw new MixspaceError('invalid_request', `The folder ${root} is not there.`, { param: 'MIXSPACE_ROOTS' });
      }),
    ),
  );
  const store = await openEmbeddedStore({ directory: config.indexDir, log });
  const encoder = await openEncoder({
    modelsDirectory: config.modelsDir,
    ...(config.model === undefined ? {} : { defaultModel: config.model }),
    ...(config.variant === undefined ? {} : { variants: config.variant }),
    workers: config.workers,
    queueLimit: config.queueLimit,
    limits: { pictureBytes: config.maxPicture, picturePixels: config.maxPixels },
    log,
    onStage: stage,
  }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  telemetry.gauge('mixspace_encoder_waiting', 'Texts and pictures that wait for an encoder', () => encoder.waiting());

  const context: Context = {
    encoder,
    store,
    limits: {
      picture: config.maxPicture,
      text: config.maxText,
      metadata: config.maxMetadata,
      inputs: config.maxInputs,
      items: config.maxItems,
      labels: config.maxLabels,
    },
    roots,
    fetch: { allow: config.fetchAllow, timeoutMs: config.fetchTimeout },
    log,
    stage,
  };
  const close = async (): Promise<void> => {
    await encoder.close();
    await store.close();
    telemetry.close();
  };
  try {
    await settleCollections(context);
  } catch (error) {
    await close();
    throw error;
  }
  const readiness = watchReadiness(context);
  return {
    context,
    readiness,
    telemetry,
    close: async () => {
      readiness.stop();
      await close();
    },
  };
}
