import { MixspaceApiError } from '../client/index.js';

export const isUnauthorized = (error: unknown): boolean => error instanceof MixspaceApiError && error.status === 401;

export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const counted = (count: number, one: string, many = `${one}s`): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
