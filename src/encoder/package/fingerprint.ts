import { createHash } from 'node:crypto';
import type { ModelPackage } from './model-package.js';

/**
 * Equal only for packages whose embeddings may be compared: same weights, tokenizer, text and picture rules, dimension.
 * 24 hex digits. Collections keep it: a rule joins only where it is set, so that a package without it keeps its own.
 */
export function fingerprintOf({ fileHashes, text, image }: ModelPackage, dimension: number): string {
  const { contextLength, padding, padTokenId, padToken, configuredPadTokenId, lowercase, clean, output: textOutput } = text;
  const { geometry, interpolation, size, shortestEdge, mean, std, cropRounding, fillColor, speed, output: imageOutput } = image;
  const rules = {
    text: { contextLength, padding, padTokenId, padToken, configuredPadTokenId, lowercase, clean, output: textOutput },
    image: { geometry, interpolation, size, shortestEdge, mean, std, cropRounding, fillColor, speed, output: imageOutput },
    dimension,
  };
  return createHash('sha256').update(JSON.stringify([fileHashes, rules])).digest('hex').slice(0, 24);
}
