import ExifReader from 'exifreader';
import type { Metadata } from '../../domain/metadata.js';

const marker = '<?xpacket begin';

/** Title, description, keywords and rating of an XMP side file (ISO 16684-1). @throws Error: it is none. */
export function xmpFields(text: string): Metadata {
  const packet = text.replace(/^<\?xml[^>]{0,200}\?>\s*/, '');
  if (!/<(x:xmpmeta|rdf:RDF)[\s>]/.test(packet)) throw new Error('it is no XMP');
  // The reader knows a packet by its marker, which side files go without.
  const { xmp } = ExifReader.load(Buffer.from(packet.startsWith(marker) ? packet : `${marker}=""?>${packet}<?xpacket end="w"?>`), { expanded: true }) as { xmp?: Record<string, Tag | undefined> };
  if (!xmp) throw new Error('it is no XMP');
  const [title, description, rating] = [xmp['title']?.description, xmp['description']?.description, Number(xmp['Rating']?.value)];
  const subject = xmp['subject']?.value;
  const keywords = Array.isArray(subject) ? subject.flatMap((each) => (typeof each.value === 'string' ? [each.value] : [])) : [];
  return {
    ...(title ? { title } : {}),
    ...(description ? { description } : {}),
    ...(keywords.length > 0 ? { keywords } : {}),
    // -1: rejected.
    ...(xmp['Rating'] !== undefined && rating >= -1 && rating <= 5 ? { rating } : {}),
  };
}

interface Tag {
  value?: string | { value?: unknown }[];
  description?: string;
}
