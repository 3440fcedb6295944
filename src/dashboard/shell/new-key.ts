/** 16 hex digits, drawn by chance: `crypto.randomUUID` is there on https and the loopback alone. */
export const newKey = (): string => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
