import type { Request } from 'express';
import { MixspaceError } from '../errors.js';
import type { BodyLimits } from './bodies.js';
import { bodyStream } from './body-stream.js';
import { headerParameters } from './header-parameters.js';
import { MultipartParser, boundaryOf, type PartHeaders, type PartSink } from './multipart-parser.js';

export interface Upload {
  name?: string;
  /** Or why it could not be taken. */
  bytes: Uint8Array | MixspaceError;
}

export interface Multipart {
  files: Upload[];
  /** Bytes of the other part that the route knows. */
  part?: Uint8Array;
}

/**
 * Reads a multipart body: parts named `file`, and one text part.
 * @throws MixspaceError `invalid_request`, `too_large`, `overloaded`.
 */
export async function readMultipart(request: Request, partName: string, limits: BodyLimits): Promise<Multipart> {
  const form = new Form(partName, limits);
  const parser = new MultipartParser(boundaryOf(request.headers['content-type']), (headers, index) => form.open(headers, index));
  for await (const chunk of bodyStream(request, limits.body)) parser.push(chunk);
  parser.end();
  return { files: form.files, ...(form.part === undefined ? {} : { part: form.part }) };
}

class Form {
  readonly files: Upload[] = [];
  part: Uint8Array | undefined;
  readonly #partName: string;
  readonly #limits: BodyLimits;
  #hasPart = false;

  constructor(partName: string, limits: BodyLimits) {
    this.#partName = partName;
    this.#limits = limits;
  }

  open(headers: PartHeaders, index: number): PartSink {
    const { field } = headers;
    if (field === 'file') return this.#openFile(headers);
    // Browsers send a Blob of JSON as a file: whether it has a file name says nothing.
    if (field === this.#partName) return this.#openPart(headers);
    throw new MixspaceError('invalid_request', `Part ${index + 1} is named "${field.slice(0, 100)}"; known are file, for pictures, and ${this.#partName}.`, { param: field.slice(0, 100) });
  }

  #openFile({ fileName }: PartHeaders): PartSink {
    const { files, picture } = this.#limits;
    if (this.files.length >= files) throw new MixspaceError('too_large', `At most ${files} files a request.`, { param: 'file' });
    const upload: Upload = fileName instanceof MixspaceError ? { bytes: fileName } : { ...(fileName === undefined ? {} : { name: fileName }), bytes: new Uint8Array() };
    this.files.push(upload);
    const chunks: Buffer[] = [];
    let size = 0;
    return {
      write: (chunk) => {
        if (upload.bytes instanceof MixspaceError) return;
        size += chunk.length;
        if (size <= picture) return void chunks.push(chunk);
        chunks.length = 0;
        upload.bytes = new MixspaceError('too_large', `A picture is at most ${picture} bytes.`, { param: 'file' });
      },
      end: () => {
        if (!(upload.bytes instanceof MixspaceError)) upload.bytes = Buffer.concat(chunks, size);
      },
    };
  }

  #openPart({ contentType }: PartHeaders): PartSink {
    const name = this.#partName;
    if (this.#hasPart) throw new MixspaceError('invalid_request', `There is more than one part named ${name}.`, { param: name });
    this.#hasPart = true;
    const charset = headerParameters(contentType ?? '')?.parameters.get('charset') ?? 'utf-8';
    if (!/^(utf-?8|us-ascii)$/i.test(charset)) throw new MixspaceError('invalid_request', `Send the part ${name} as UTF-8.`, { param: name });
    const chunks: Buffer[] = [];
    return {
      write: (chunk) => void chunks.push(chunk),
      end: () => (this.part = Buffer.concat(chunks)),
    };
  }
}
