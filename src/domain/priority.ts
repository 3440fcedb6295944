/** Who waits: a probe, which asks whether anything is encoded at all and is never refused; a person; a batch job. */
export type Priority = 'probe' | 'interactive' | 'bulk';
