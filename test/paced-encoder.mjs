/** Loaded into a service's processes by `--import`: each batch of a model takes so many milliseconds (PACE_MS) more, so that work lasts long enough on any machine to be met under way. */
import { setTimeout as delay } from 'node:timers/promises';
import ort from 'onnxruntime-node';

const { run } = ort.InferenceSession.prototype;
const pace = Number(process.env.PACE_MS);

ort.InferenceSession.prototype.run = async function (...args) {
  await delay(pace);
  return run.apply(this, args);
};
