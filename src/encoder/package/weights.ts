import { basename, dirname, join } from 'node:path';
import { exists, hashFile } from '../../files.js';
import { readOnnxFacts } from '../onnx/facts.js';

export interface WeightsFacts {
  /** SHA-256 of the ONNX file, then of each file of external data by name, hex. */
  hashes: string[];
  /** Paths of the files of external data. */
  externalData: string[];
  /** Activations are quantised as they come: the same input comes out differently beside others. */
  dynamicallyQuantized: boolean;
}

const dynamicOperators = ['DynamicQuantizeLinear', 'DynamicQuantizeMatMul', 'DynamicQuantizeLSTM', 'MatMulIntegerToFloat', 'MatMulInteger', 'ConvInteger'];

/** Of an ONNX file and the files beside it that hold its weights. Throws an Error whose sentence names the file. */
export async function readWeights(path: string): Promise<WeightsFacts> {
  const { operators, externalData: locations } = readOnnxFacts(path);
  const hashes = [await hashFile(path)];
  const externalData: string[] = [];
  for (const location of [...locations].sort()) {
    if (location !== basename(location)) throw new Error(`${path} keeps weights in ${JSON.stringify(location)}; only a file beside it is read.`);
    const data = join(dirname(path), location);
    if (!(await exists(data))) throw new Error(`${path} keeps weights in ${location}, which is not beside it.`);
    hashes.push(await hashFile(data));
    externalData.push(data);
  }
  return { hashes, externalData, dynamicallyQuantized: dynamicOperators.some((operator) => operators.has(operator)) };
}
