import type { ExportedItem } from './exported-item.js';

/** One item a line: embeddings as lists of numbers, the thumbnail in base64. */
export async function* jsonLines(pages: AsyncIterable<ExportedItem[]>): AsyncGenerator<Uint8Array> {
  for await (const page of pages) {
    const lines = page.map(({ embedding, parts, boxes, thumbnail, ...told }) => {
      const line = {
        ...told,
        embedding: embedding ? Array.from(embedding) : null,
        ...(parts ? { parts: parts.map((part) => Array.from(part)) } : {}),
        ...(boxes?.some((box) => box) ? { boxes: boxes.map((box) => box ?? null) } : {}),
        ...(thumbnail ? { thumbnail: Buffer.from(thumbnail).toString('base64') } : {}),
      };
      return `${JSON.stringify(line)}\n`;
    });
    yield Buffer.from(lines.join(''));
  }
}
