import { readFile } from 'node:fs/promises';
import { fromBase64 } from '../eval/embedder.js';
import { inFlight } from './timing.js';

const requestsInFlight = 2;

/** Makes a request's body; called when its turn comes. */
export type RequestBody = () => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Bodies of /v1/embeddings, `perRequest` pictures each. The bytes behind a picture's end tell the round: decoders pass
 * over them, and nothing that remembers pictures by their content knows one of another round.
 */
export function embeddingRequests(model: string, files: string[], perRequest: number, round: number): RequestBody[] {
  const marker = Buffer.from([0, round + 1]);
  const starts = Array.from({ length: Math.ceil(files.length / perRequest) }, (_, index) => index * perRequest);
  return starts.map((start) => async () => {
    const images = await Promise.all(files.slice(start, start + perRequest).map(async (file) => Buffer.concat([await readFile(file), marker]).toString('base64')));
    // Joined by hand: base64 has nothing to escape, and searching megabytes for it takes longer than making them.
    const input = images.map((image) => `{"image":"${image}"}`).join(',');
    return Buffer.from(`{"model":${JSON.stringify(model)},"encoding_format":"base64","input":[${input}]}`, 'latin1');
  });
}

/** The same bodies, made beforehand. */
export async function readyMade(requests: RequestBody[]): Promise<RequestBody[]> {
  const bodies = await Promise.all(requests.map((request) => request()));
  return bodies.map((body) => () => Promise.resolve(body));
}

/** The embeddings in the pictures' order. */
export async function requestEmbeddings(url: string, requests: RequestBody[]): Promise<Float32Array[]> {
  const answers = new Array<Float32Array[]>(requests.length);
  await inFlight(requests.entries(), requestsInFlight, async ([index, request]) => {
    const response = await fetch(`${url}/v1/embeddings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: await request() });
    if (!response.ok) throw new Error(`/v1/embeddings answered ${response.status}: ${await response.text()}`);
    const { data } = (await response.json()) as { data: { embedding: string }[] };
    answers[index] = data.map(({ embedding }) => fromBase64(embedding));
  });
  return answers.flat();
}
