/** What a backup's archive holds, in this order: the manifest, the database, originals, and that it is complete. */
export const backupFormat = 'mixspace-backup';
export const manifestName = 'mixspace-backup.json';
export const completeName = 'complete.json';
export const originalName = (contentHash: string): string => `originals/${contentHash.slice(0, 2)}/${contentHash}`;

export interface BackupManifest {
  format: typeof backupFormat;
  version: 1;
  /** ISO 8601, UTC: when it was begun. */
  created_at: string;
  database: { bytes: number };
  /** As they were then. */
  collections: { name: string; model: string; fingerprint: string; dimension: number; items: number }[];
}

export interface BackupSummary {
  database_sha256: string;
  /** How many. */
  originals: number;
  /** Content hashes of those that were missing or damaged. */
  missing: string[];
}
