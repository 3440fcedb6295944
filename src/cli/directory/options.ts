import { Option } from 'commander';
import { readSetting, settings } from '../../config.js';

export interface DirectoryFlags {
  indexDir?: string;
}

export const directoryOption = (): Option => new Option(settings.indexDir.flag, `the index directory (default: ${settings.indexDir.shown}; environment: ${settings.indexDir.env})`);

/** Absolute. */
export const directoryOf = ({ indexDir }: DirectoryFlags): string => readSetting('indexDir', indexDir);
