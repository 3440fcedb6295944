/**
 * The part of the catalog's port that remembers in which files items were seen. A file is one of a machine, by its path;
 * `under`: the path of a folder, or of a file alone.
 */

/** `stamp`: whatever tells whether the file is still the one that was seen. */
export interface SeenFile {
  path: string;
  stamp: string;
  /** The id of the item that its content is. */
  item: string;
}

export interface RecordedFile extends SeenFile {
  /** Whether the item is there; not so when it was deleted. */
  isThere: boolean;
  /** The id of the item that its content was before, until `settleSeen`. */
  former?: string;
}

/** Where a writer has seen the content of an item. */
export interface Sighting {
  machine: string;
  /** As the item's sources name it. */
  path: string;
  stamp: string;
  /** Where the file itself lies: without links. */
  file: string;
}

export interface SyncCatalog {
  /** By path, behind `after`; those that are damaged are left out: they are as good as never seen. */
  listSeen(collection: string, machine: string, under: string, request: { limit: number; after?: string }): Promise<{ files: RecordedFile[]; more: boolean }>;
  countSeen(collection: string, machine: string, under: string): Promise<number>;
  /** Writes what was seen, and nothing of any item. */
  noteSeen(collection: string, machine: string, files: SeenFile[]): Promise<void>;
  /**
   * One transaction: of each of the files, the item that its content was before loses the path. One that has no other
   * source goes; examples of classifiers that were of its content are of the new one's from then on. Ids of items that went.
   */
  settleSeen(collection: string, machine: string, paths: string[]): Promise<string[]>;
  /**
   * One transaction: these files are no longer there. Their items lose the path; those without another source go. One
   * that was seen otherwise meanwhile is left as it is. How many files, and the ids of items that went.
   */
  forgetSeen(collection: string, machine: string, files: SeenFile[]): Promise<{ files: number; items: string[] }>;
  /** Folders on which another file system was mounted when they were looked at last. */
  listMounts(collection: string, machine: string, under: string): Promise<string[]>;
  putMounts(collection: string, machine: string, under: string, mounts: string[]): Promise<void>;
}
