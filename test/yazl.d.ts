/** As much of it as the tests use. */
declare module 'yazl' {
  export class ZipFile {
    readonly outputStream: NodeJS.ReadableStream;
    addBuffer(bytes: Buffer, name: string, options?: { compress?: boolean }): void;
    end(options?: { forceZip64Format?: boolean }): void;
  }
}
