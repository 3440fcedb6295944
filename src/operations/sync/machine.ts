import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Inside a container the host's name is made up anew with each one, and the machine's id is the image's. */
const containers = ['/.dockerenv', '/run/.containerenv'];

/** What tells this machine's disks from another's, the same from start to start. */
export function machineName(): string {
  if (containers.some((file) => read(file) !== undefined)) return 'container';
  // machine-id(5): 32 hex digits, made when the system is installed.
  const id = read('/etc/machine-id')?.trim() ?? '';
  return /^[0-9a-f]{32}$/.test(id) ? id : hostname();
}

/** Where jobs run that read this machine's disks. */
export const placeOfDisks = (machine: string): string => `disks ${machine}`;

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
