/** What a look at one thing has found. */
export interface Finding {
  topic: string;
  status: 'ok' | 'warn' | 'fail';
  /** A sentence. */
  found: string;
  /** What to do about it; of each that is not ok. */
  mend?: string;
}

export const ok = (topic: string, found: string): Finding => ({ topic, status: 'ok', found });
export const warn = (topic: string, found: string, mend: string): Finding => ({ topic, status: 'warn', found, mend });
export const fail = (topic: string, found: string, mend: string): Finding => ({ topic, status: 'fail', found, mend });
