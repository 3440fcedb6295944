/** What each member of an archive is to the import, by its name, kind and sizes. The same members in the same order have the same verdicts. */
import { namesPicture } from '../../domain/picture-names.js';
import { MixspaceError } from '../../errors.js';
import { isSideFolder } from '../../ignore-rules.js';
import { checkedName } from './entry-names.js';
import { importBounds } from './settings.js';
import { isSideFile } from './side-files.js';
import type { LeftOutKind } from './step.js';

export interface Member {
  name: string;
  kind: 'file' | 'directory' | 'link' | 'device';
  /** Decompressed. */
  bytes: number;
  /** Where its compression is its own. */
  compressed?: number;
  isEncrypted?: boolean;
}

export type Verdict =
  | { is: 'nothing' }
  | { is: 'left out'; kind: LeftOutKind }
  | { is: 'refused'; name: string; reason: string }
  /** `isCertain`: it is called like a picture; else its first bytes decide. */
  | { is: 'picture'; name: string; isCertain: boolean }
  | { is: 'side file'; name: string };

export interface MemberLimits {
  entries: number;
  bytes: number;
  picture: number;
}

const archive = /\.(zip|tar|tgz|tar\.gz|tbz2?|txz|7z|rar)$/i;

export class Members {
  readonly #limits: MemberLimits;
  readonly #seen = new Set<string>();
  #entries = 0;
  #bytes = 0;
  #nameBytes = 0;

  constructor(limits: MemberLimits) {
    this.#limits = limits;
  }

  /** @throws MixspaceError `too_large`: there are too many, or they have too many bytes together. */
  verdict(member: Member): Verdict {
    this.#count(member);
    const { name, reason } = checkedName(member.name);
    if (member.kind === 'directory') return reason === undefined || reason === 'It has no name.' ? { is: 'nothing' } : { is: 'refused', name, reason };
    if (reason !== undefined) return { is: 'refused', name, reason };
    if (member.kind === 'link') return { is: 'refused', name, reason: 'It is a link; links in an archive are not followed.' };
    if (member.kind === 'device') return { is: 'refused', name, reason: 'It is a device or a pipe, no file.' };
    const parts = name.split('/');
    if (parts.some(isSideFolder)) return { is: 'left out', kind: 'side_folders' };
    if (parts.some((part) => part.startsWith('.'))) return { is: 'left out', kind: 'hidden' };
    if (this.#seen.has(name)) return { is: 'refused', name, reason: 'Another entry before it has the same name.' };
    this.#seen.add(name);
    if (/\.aae$/i.test(name)) return { is: 'left out', kind: 'aae' };
    const isCertain = namesPicture(name);
    if (!isCertain && archive.test(name)) return { is: 'refused', name, reason: 'It is an archive inside the archive, which is not opened; import it by itself.' };
    if (!isCertain && isSideFile(name)) return { is: 'side file', name };
    if (!isCertain && (member.bytes === 0 || member.bytes > this.#limits.picture)) return { is: 'left out', kind: 'other' };
    const refusal = this.#refusal(member);
    if (refusal !== undefined) return { is: 'refused', name, reason: refusal };
    if ((this.#bytes += member.bytes) > this.#limits.bytes) throw tooManyBytes(this.#limits.bytes);
    return { is: 'picture', name, isCertain };
  }

  #refusal({ bytes, compressed, isEncrypted }: Member): string | undefined {
    const { picture } = this.#limits;
    if (isEncrypted) return 'It is encrypted.';
    if (bytes > picture) return `A picture is at most ${picture} bytes; this one has ${bytes}.`;
    if (compressed !== undefined && bytes >= importBounds.ratioFrom && bytes > compressed * importBounds.ratio) return `It has ${bytes} bytes for ${compressed} compressed ones; at most ${importBounds.ratio} for one are decompressed.`;
    return undefined;
  }

  #count({ name }: Member): void {
    const { entries } = this.#limits;
    if (++this.#entries > entries) throw new MixspaceError('too_large', `The archive has more than ${entries} entries; MIXSPACE_IMPORT_ENTRIES sets how many it may have.`);
    if ((this.#nameBytes += name.length) > importBounds.names) throw new MixspaceError('too_large', `The names of the archive's entries have more than ${importBounds.names} bytes together.`);
  }
}

export const tooManyBytes = (most: number): MixspaceError => new MixspaceError('too_large', `The archive's entries have more than ${most} bytes together; MIXSPACE_IMPORT_BYTES sets how many they may have.`);
