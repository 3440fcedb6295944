/** What the store keeps of clusters. */
import type { ClusterLanguage } from '../../contract/clusters.js';
import type { Modality } from '../../domain/modality.js';
import type { FindingSummary } from '../finding-summary.js';
import { Turns } from '../turns.js';

export const clustersJob = 'clusters';

/** By collection: what changes the clusters that are shown, so that a name that is given while others take their place is not lost. */
export const changesOfClusters = new Turns();

export interface ClustersSummary extends FindingSummary {
  at: string;
  modality: Modality;
  language: ClusterLanguage;
  items: number;
  /** Of the first id that no cluster had yet. */
  next: number;
}

export interface KeptMember {
  id: string;
  score: number;
  hasImage: boolean;
}

export interface KeptCluster {
  id: string;
  name: string;
  renamed: boolean;
  words: string[];
  size: number;
  examples: KeptMember[];
}

export const clustersList = 'clusters';
export const membersList = (id: string): string => `members ${id}`;
