import { ByteWriter, ParquetWriter, type ColumnSource } from 'hyparquet-writer';
import type { ExportedItem } from './exported-item.js';

type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];

const text = (name: string, isRequired = false): Schema => [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: isRequired ? 'REQUIRED' : 'OPTIONAL' }];
const integer = (name: string): Schema => [{ name, type: 'INT32', repetition_type: 'OPTIONAL' }];
const time = (name: string): Schema => [{ name, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REQUIRED' }];
/** The three levels of a list, as the format's specification has them. */
const listOf = (name: string, element: Schema): Schema => [
  { name, converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
];
const numbers = (name: string): Schema => listOf(name, [{ name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' }]);

/** By name, in their order: how each is declared, and what an item has there. */
const columns: Record<string, { schema: Schema; of: (item: ExportedItem) => unknown; isDense?: true }> = {
  id: { schema: text('id', true), of: ({ id }) => id },
  modality: { schema: text('modality', true), of: ({ modality }) => modality },
  text: { schema: text('text'), of: (item) => item.text },
  // As text: the library would write a JSON value without a key `__proto__`.
  metadata: { schema: text('metadata', true), of: ({ metadata }) => JSON.stringify(metadata) },
  sources: { schema: listOf('sources', text('element', true)), of: ({ sources }) => sources },
  width: { schema: integer('width'), of: ({ width }) => width },
  height: { schema: integer('height'), of: ({ height }) => height },
  taken_at: { schema: text('taken_at'), of: (item) => item.taken_at },
  // As text, as the metadata.
  exif: { schema: text('exif'), of: ({ exif }) => exif && JSON.stringify(exif) },
  content_hash: { schema: text('content_hash', true), of: (item) => item.content_hash },
  created_at: { schema: time('created_at'), of: (item) => new Date(item.created_at) },
  updated_at: { schema: time('updated_at'), of: (item) => new Date(item.updated_at) },
  fingerprint: { schema: text('fingerprint', true), of: ({ fingerprint }) => fingerprint },
  embedding: { schema: numbers('embedding'), of: ({ embedding }) => embedding && Array.from(embedding), isDense: true },
  parts: { schema: listOf('parts', [{ ...numbers('element')[0]!, repetition_type: 'REQUIRED' }, ...numbers('element').slice(1)]), of: ({ parts }) => parts?.map((part) => Array.from(part)), isDense: true },
  boxes: { schema: listOf('boxes', [{ ...numbers('element')[0]!, repetition_type: 'OPTIONAL' }, ...numbers('element').slice(1)]), of: ({ boxes }) => (boxes?.some((box) => box) ? boxes.map((box) => (box ? [...box] : null)) : undefined), isDense: true },
  thumbnail: { schema: [{ name: 'thumbnail', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' }], of: (item) => item.thumbnail, isDense: true },
};
const schema: Schema = [{ name: 'root', num_children: Object.keys(columns).length }, ...Object.values(columns).flatMap((column) => column.schema)];

/** Parquet, a row group a page; embeddings as lists of float32, times in UTC, the metadata as a text of JSON. */
export async function* parquet(pages: AsyncIterable<ExportedItem[]>): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter();
  const file = new ParquetWriter({ writer: bytes, schema, createdBy: 'mixspace', statistics: false });
  const written = (): Uint8Array => {
    const chunk = bytes.getBytes().slice();
    bytes.index = 0;
    return chunk;
  };
  for await (const page of pages) {
    if (page.length > 0) await file.write({ columnData: Object.entries(columns).map(([name, column]) => columnOf(name, column, page)), rowGroupSize: page.length });
    yield written();
  }
  await file.finish();
  yield written();
}

/** What is dense already, compressing would not make shorter. */
function columnOf(name: string, { of, isDense }: (typeof columns)[string], page: ExportedItem[]): ColumnSource {
  return { name, data: page.map(of), ...(isDense ? { codec: 'UNCOMPRESSED' as const } : {}) };
}
