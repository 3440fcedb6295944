/** Field numbers of onnx.proto (github.com/onnx/onnx). */
export const model = { graph: 7, trainingInfo: 20, functions: 25 };
export const graph = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13, sparseInitializer: 15 };
export const node = { input: 1, output: 2, operator: 4, attribute: 5 };
export const attribute = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparseTensor: 22, sparseTensors: 23 };
export const tensor = { name: 8, externalData: 13, dataLocation: 14 };
export const sparseTensor = { values: 1, indices: 2 };
export const entry = { key: 1, value: 2 };
export const valueName = 1;
export const functionFields = { node: 7, attribute: 11 };

/** Of `tensor.dataLocation`. */
export const external = 1;
