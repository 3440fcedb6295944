import { readFileSync } from 'node:fs';

/** The service's own, where a protocol tells one. */
export const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
