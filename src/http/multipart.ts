import busboy from 'busboy';
import type { Request } from 'express';
import { MixspaceError } from '../errors.js';
import type { BodyLimits } from './bodies.js';

export interface Upload {
  name?: string;
  /** Or why it could not be taken. */
  bytes: Uint8Array | MixspaceError;
}

export interface Multipart {
  files: Upload[];
  /** Text of the other part that the route knows. */
  part?: string;
}

/** Reads a multipart body: parts named `file`, and one text part. @throws MixspaceError `invalid_request`, `too_large`. */
export function readMultipart(request: Request, partName: string, limits: BodyLimits): Promise<Multipart> {
  return new Promise((resolve, reject) => {
    const files: Upload[] = [];
    let part: string | undefined;
    let total = 0;
    const refuse = (error: MixspaceError): void => {
      request.unpipe(parser);
      reject(error);
    };
    let parser: busboy.Busboy;
    try {
      parser = busboy({
        headers: request.headers,
        defParamCharset: 'utf8',
        limits: { fileSize: limits.picture, files: limits.files, fields: 8, fieldSize: limits.body, parts: limits.files + 8 },
      });
    } catch {
      reject(new MixspaceError('invalid_request', 'The multipart body has no boundary.'));
      return;
    }
    const oversize = (): MixspaceError => new MixspaceError('too_large', `A request body is at most ${limits.body} bytes.`);
    if (Number(request.headers['content-length'] ?? 0) > limits.body) return reject(oversize());
    request.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (total > limits.body) refuse(oversize());
    });
    parser.on('file', (field, stream, { filename }) => {
      // Browsers send a Blob of JSON as a file.
      if (field === partName) {
        const chunks: Buffer[] = [];
        stream.on('error', () => undefined);
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('limit', () => refuse(oversize()));
        stream.on('end', () => (part = Buffer.concat(chunks).toString('utf8')));
        return;
      }
      if (field !== 'file') {
        stream.on('error', () => undefined).resume();
        refuse(new MixspaceError('invalid_request', `Pictures come in parts named file, not "${field.slice(0, 100)}".`, { param: field.slice(0, 100) }));
        return;
      }
      const chunks: Buffer[] = [];
      const upload: Upload = { ...(filename ? { name: filename } : {}), bytes: new Uint8Array() };
      files.push(upload);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('limit', () => {
        chunks.length = 0;
        upload.bytes = new MixspaceError('too_large', `A picture is at most ${limits.picture} bytes.`, { param: 'file' });
      });
      // Told by the parser too, which ends the request.
      stream.on('error', () => undefined);
      stream.on('end', () => {
        if (!(upload.bytes instanceof MixspaceError)) upload.bytes = Buffer.concat(chunks);
      });
    });
    parser.on('field', (field, value, { valueTruncated }) => {
      if (field !== partName) return refuse(new MixspaceError('invalid_request', `Unknown part "${field.slice(0, 100)}"; known are file and ${partName}.`, { param: field.slice(0, 100) }));
      if (valueTruncated) return refuse(oversize());
      part = value;
    });
    parser.on('filesLimit', () => refuse(new MixspaceError('too_large', `At most ${limits.files} files a request.`, { param: 'file' })));
    parser.on('partsLimit', () => refuse(new MixspaceError('too_large', `At most ${limits.files} files a request.`, { param: 'file' })));
    parser.on('error', (error) => refuse(new MixspaceError('invalid_request', `The multipart body cannot be read: ${(error as Error).message.slice(0, 200)}.`)));
    parser.on('close', () => resolve({ files, ...(part === undefined ? {} : { part }) }));
    request.on('aborted', () => reject(new MixspaceError('invalid_request', 'The caller hung up.')));
    request.pipe(parser);
  });
}

/** @throws MixspaceError `invalid_request`. */
export function parseJsonPart(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MixspaceError('invalid_request', `The part ${name} is not JSON that can be read.`, { param: name });
  }
}
