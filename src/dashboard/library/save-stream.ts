/**
 * Brings a file's bytes and hands them to the browser to be saved: where a key is needed, a link cannot.
 * @param onBytes called with how many have come.
 */
export async function saveStream(stream: ReadableStream<Uint8Array>, name: string, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) break;
    pieces.push(value as Uint8Array<ArrayBuffer>);
    bytes += value.length;
    onBytes(bytes);
  }
  const address = URL.createObjectURL(new Blob(pieces));
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
