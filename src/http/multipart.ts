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

/** The names of the parts that a route knows. */
export interface PartNames {
  /** Of pictures: any number of parts. */
  files: string;
  /** Of texts, JSON among them: each at most once. */
  texts: readonly string[];
}

export interface Multipart {
  files: Upload[];
  /** Bytes of those texts that came, by name. */
  texts: ReadonlyMap<string, Uint8Array>;
}

/** @throws MixspaceError `invalid_request`, `too_large`, `overloaded`. */
export async function readMultipart(request: Request, names: PartNames, limits: BodyLimits): Promise<Multipart> {
  const form = new Form(names, limits);
  const parser = new MultipartParser(boundaryOf(request.headers['content-type']), (headers, index) => form.open(headers, index));
  for await (const chunk of bodyStream(request, limits.body)) parser.push(chunk);
  parser.end();
  return form;
}

class Form implements Multipart {
  readonly files: Upload[] = [];
  readonly texts = new Map<string, Uint8Array>();
  readonly #names: PartNames;
  readonly #limits: BodyLimits;

  constructor(names: PartNames, limits: BodyLimits) {
    this.#names = names;
    this.#limits = limits;
  }

  open(headers: PartHeaders, index: number): PartSink {
    const { field } = headers;
    const { files, texts } = this.#names;
    if (field === files) return this.#openFile(headers);
    // Browsers send a Blob of JSON as a file: whether it has a file name says nothing.
    if (texts.includes(field)) return this.#openText(headers);
    throw new MixspaceError('invalid_request', `Part ${index + 1} is named "${field.slice(0, 100)}"; known are ${files}, for pictures, and ${texts.join(', ')}.`, { param: field.slice(0, 100) });
  }

  #openFile({ field, fileName }: PartHeaders): PartSink {
    const { files, picture } = this.#limits;
    if (this.files.length >= files) throw new MixspaceError('too_large', `At most ${files} files a request.`, { param: field });
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
        upload.bytes = new MixspaceError('too_large', `A picture is at most ${picture} bytes.`, { param: field });
      },
      end: () => {
        if (!(upload.bytes instanceof MixspaceError)) upload.bytes = Buffer.concat(chunks, size);
      },
    };
  }

  #openText({ field: name, contentType }: PartHeaders): PartSink {
    if (this.texts.has(name)) throw new MixspaceError('invalid_request', `There is more than one part named ${name}.`, { param: name });
    this.texts.set(name, new Uint8Array());
    const charset = headerParameters(contentType ?? '')?.parameters.get('charset') ?? 'utf-8';
    if (!/^(utf-?8|us-ascii)$/i.test(charset)) throw new MixspaceError('invalid_request', `Send the part ${name} as UTF-8.`, { param: name });
    const chunks: Buffer[] = [];
    return {
      write: (chunk) => void chunks.push(chunk),
      end: () => void this.texts.set(name, Buffer.concat(chunks)),
    };
  }
}
