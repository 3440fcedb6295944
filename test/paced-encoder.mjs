/** Loaded into a service's processes by `--import`: each batch of a model takes so many milliseconds (PACE_MS) more, so that work lasts long enough on any machine to be met under way. */
import { setTimeout as delay } from 'node:timers/promises';

// Others have no models, and need not load what runs them.
if (process.argv[1]?.endsWith('encoder/worker/worker.js')) {
  const { InferenceSession } = (await import('onnxruntime-node')).default;
  const { run } = InferenceSession.prototype;
  const pace = Number(process.env.PACE_MS);

  InferenceSession.prototype.run = async function (...args) {
    await delay(pace);
    return run.apply(this, args);
  };
}
