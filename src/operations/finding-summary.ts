/** What the store keeps of each finding besides what it found. */
export interface FindingSummary {
  /** What `changesOf` the collection was when the job began. Left out by versions that did not note it. */
  changes?: number;
}
