/** The port by which a service pulls models. It loads nothing of the hub's client. */

/** What somebody asks for, as they wrote it. */
export interface WantedModel {
  /** `owner/name`, or `owner/name@REVISION`. */
  id: string;
  /** Names of weights, the one to be used first. Left out: those that are there, or fp32. */
  variants?: string[];
  /** Where the package lies, in a repository that holds several. */
  folder?: string;
  /** The model's name here; left out: the last part of the folder, or of the id. */
  as?: string;
}

/** JSON: which files of which commit become which model here. */
export interface ChosenModel {
  id: string;
  revision: string;
  /** 40 hex digits. */
  commit: string;
  name: string;
  variants: string[];
  /** `variants` were asked for by name. */
  isNamed: boolean;
  folder?: string;
}

export interface PulledModel {
  chosen: ChosenModel;
  /** The hub's short name, or what the card calls it; undefined: none is named. */
  license: string | undefined;
  /** What it is, what it asks, where it can be read: a sentence. */
  licenseSentence: string;
  /** It is not known to be free for any use, and was not agreed to before. */
  mustBeAccepted: boolean;
  files: number;
  bytes: number;
  bytesToCome: number;
  /** Everything is there as it should be. */
  isComplete: boolean;
  /** Embeddings of the model of this name that is there would no longer fit. */
  changesEmbeddings: boolean;
  /** Files of it that are not what was pulled, and would be replaced. */
  mended: string[];
}

/** One that is known to be good, with what its authors published. */
export interface RecommendedModel {
  id: string;
  folder?: string;
  title: string;
  license: string;
  licenseName?: string;
  /** It asks for agreement. */
  mustBeAccepted: boolean;
  imageSize?: number;
  /** Of fp32, roughly; undefined: not known. */
  bytes?: number;
  /** Per cent: ImageNet zero-shot top-1; Flickr30k text to image recall at 1. */
  imagenet?: number;
  flickr?: number;
}

export interface ModelSource {
  /** The best for most uses first. */
  recommended(): Promise<RecommendedModel[]>;
  /**
   * What pulling it would mean; nothing is written.
   * @throws MixspaceError `invalid_request`, `not_found`, `conflict`, `unauthorized`, `unprocessable`, `disk_full`, `not_ready`; `param` names the field of what is wanted.
   */
  plan(wanted: WantedModel, signal: AbortSignal): Promise<PulledModel>;
  /** Brings it, going on from what an earlier run left. `onBytes`: those that are there, and all. @throws as `plan`. */
  pull(chosen: ChosenModel, signal: AbortSignal, onBytes: (bytes: number, total: number) => void): Promise<{ bytes: number; files: number }>;
  /** Throws away what was begun of it. */
  discard(name: string): Promise<void>;
}
