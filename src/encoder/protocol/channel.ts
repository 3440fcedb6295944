import type { Duplex } from 'node:stream';
import { Deserializer, Serializer } from 'node:v8';

/** Far beyond what is sent: a head that says more is no head. */
const most = { cloneBytes: 2 ** 29, arrays: 2 ** 16 };

/**
 * Messages between two processes over a byte stream: structured clones, whose byte arrays travel raw behind them, so that
 * a picture is neither copied nor scanned by the process that sends it.
 *
 * A frame: the length of the clone, the number of arrays and the length of each (uint32, little-endian); the clone; the arrays.
 */
export class Channel<Out extends object> {
  readonly #stream: Duplex;

  /** `broken` is told, once, of bytes that are no message and of what `receive` throws; nothing is received from then on. */
  constructor(stream: Duplex, receive: (message: unknown) => void, broken: (error: unknown) => void) {
    this.#stream = stream;
    const frames = read(receive);
    frames.next();
    const take = (chunk: Buffer): void => {
      try {
        frames.next(chunk);
      } catch (error) {
        stream.off('data', take).resume();
        broken(error);
      }
    };
    stream.on('data', take);
    // A broken pipe is told by the end of the process behind it.
    stream.on('error', () => undefined);
  }

  /** Byte arrays in the message must not change until they are written. Throws, with nothing written, for what cannot be cloned. */
  send(message: Out): void {
    const clone = new CloneWriter();
    clone.writeHeader();
    clone.writeValue(message);
    const bytes = clone.releaseBuffer();
    const head = new Uint32Array([bytes.byteLength, clone.arrays.length, ...clone.arrays.map(({ byteLength }) => byteLength)]);
    this.#stream.cork();
    for (const part of [new Uint8Array(head.buffer), bytes, ...clone.arrays]) if (part.byteLength > 0) this.#stream.write(part);
    this.#stream.uncork();
  }
}

const arrayTypes = { Uint8Array, Float32Array } as const;
const typeNames = Object.keys(arrayTypes) as (keyof typeof arrayTypes)[];

/** Numbers each array and keeps its bytes aside. `_writeHostObject` and `_readHostObject` are the names that node:v8 calls. */
class CloneWriter extends Serializer {
  readonly arrays: Uint8Array[] = [];

  constructor() {
    super();
    (this as unknown as { _setTreatArrayBufferViewsAsHostObjects(flag: boolean): void })._setTreatArrayBufferViewsAsHostObjects(true);
  }

  _writeHostObject(array: Uint8Array | Float32Array): void {
    this.writeUint32(array instanceof Float32Array ? typeNames.indexOf('Float32Array') : typeNames.indexOf('Uint8Array'));
    this.writeUint32(this.arrays.length);
    this.arrays.push(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
}

class CloneReader extends Deserializer {
  readonly #arrays: Uint8Array[];

  constructor(bytes: Uint8Array, arrays: Uint8Array[]) {
    super(bytes);
    this.#arrays = arrays;
  }

  _readHostObject(): Uint8Array | Float32Array {
    const type = arrayTypes[typeNames[this.readUint32()]!];
    const bytes = this.#arrays[this.readUint32()]!;
    return new type(bytes.buffer as ArrayBuffer, 0, bytes.byteLength / type.BYTES_PER_ELEMENT);
  }
}

/** Takes chunks as they come, in any cut, and hands on each whole message. */
function* read(receive: (message: unknown) => void): Generator<undefined, never, Buffer> {
  let chunk: Uint8Array = new Uint8Array(0);
  function* take(length: number): Generator<undefined, Uint8Array, Buffer> {
    // Not of Node's pool: a received array owns its buffer.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    for (let filled = 0; filled < length; ) {
      if (chunk.byteLength === 0) chunk = yield;
      const part = chunk.subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.byteLength;
      chunk = chunk.subarray(part.byteLength);
    }
    return bytes;
  }
  for (;;) {
    const [cloneLength, count] = new Uint32Array((yield* take(8)).buffer) as unknown as [number, number];
    if (cloneLength > most.cloneBytes || count > most.arrays) throw new RangeError(`The head of a message tells ${cloneLength} bytes and ${count} arrays.`);
    const lengths = new Uint32Array((yield* take(4 * count)).buffer);
    const clone = yield* take(cloneLength);
    const arrays: Uint8Array[] = [];
    for (const length of lengths) arrays.push(yield* take(length));
    const reader = new CloneReader(clone, arrays);
    reader.readHeader();
    receive(reader.readValue());
  }
}
