import type { Modality } from '../../domain/modality.js';
import type { ModelDescription } from '../encoder.js';
import { keyOf, type ModelPackage } from '../package/model-package.js';

/** A package's files as they were checked: it never changes, and is what workers hold. */
export interface Version {
  readonly key: string;
  readonly files: ModelPackage;
  readonly description: ModelDescription;
  /** What each tower holds in a worker: its growth by loading and self-test. */
  readonly towerBytes: Readonly<Partial<Record<Modality, number>>>;
}

export function versionOf(files: ModelPackage, description: ModelDescription, towerBytes: Version['towerBytes']): Version {
  return { key: keyOf(files), files, description, towerBytes };
}
