/** How folders are looked at. */
export interface SyncSettings {
  /** Whose disks paths are of: what was seen on another's is not touched. */
  machine: string;
  /** A file that has changed more recently is still being written. */
  quietMs: number;
  /** If more than this share of a root's files, and more than `goneFiles`, have gone at once, nothing is removed without being asked. */
  goneShare: number;
  goneFiles: number;
  /** Absolute: folders that hold no pictures of anybody's, such as the service's own. */
  except: string[];
}
