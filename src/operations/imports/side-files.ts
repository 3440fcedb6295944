/** What lies beside a picture and speaks of it. */
import type { Metadata } from '../../domain/metadata.js';
import type { Refusal } from './step.js';

export interface Sides {
  has(name: string): boolean;
  /** @throws Error: it is too large or broken. */
  read(name: string): Promise<Buffer>;
}

export interface SideNote {
  metadata?: Metadata;
  problems: Refusal[];
}

export async function noteFor(_name: string, _sides: Sides, _prefix: string): Promise<SideNote> {
  return { problems: [] };
}
