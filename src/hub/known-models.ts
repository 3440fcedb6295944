/** Models that are known to be good, each with what its authors published. `-` is never a zero: where a figure is not known, it is left out. */
export interface KnownModel {
  /** What `pull` takes. */
  id: string;
  /** Where the package lies inside the repository. */
  folder?: string;
  title: string;
  /** Of the weights, by the hub's short names. */
  license: string;
  licenseName?: string;
  /** Side of the square that the picture tower sees, in pixels. */
  imageSize?: number;
  /** Both towers, in millions, from open_clip's docs/model_profile.csv; a float32 file takes about 4 bytes for each. */
  parameters?: number;
  /** ImageNet, zero-shot top-1, per cent. */
  imagenet?: number;
  /** Flickr30k, text to image, recall at 1, per cent. */
  flickr?: number;
  takeFor: string;
}

const apple = { license: 'other', licenseName: 'Apple, research only' };

/** The published figures, licenses and exports of each family; the best for most uses first. */
export const knownModels: KnownModel[] = [
  { id: 'onnx-community/siglip2-base-patch16-224-ONNX', title: 'SigLIP 2 B/16', license: 'apache-2.0', imageSize: 224, imagenet: 78.2, flickr: 80.7, takeFor: 'the best search by words here, many languages; large because of its vocabulary' },
  { id: 'Xenova/siglip-base-patch16-224', title: 'SigLIP B/16', license: 'apache-2.0', imageSize: 224, parameters: 203, imagenet: 76, flickr: 74.7, takeFor: 'search by words in English' },
  { id: 'yurijmikhalevich/rclip-models', folder: 'ViT-B-32-256-datacomp_s34b_b86k', title: 'ViT-B/32-256 DataComp', license: 'mit', imageSize: 256, parameters: 151, imagenet: 72.8, flickr: 64.9, takeFor: 'a large library on a machine without a GPU: the most accurate of the fast ones' },
  { id: 'Xenova/clip-vit-large-patch14', title: 'CLIP ViT-L/14', license: 'mit', imageSize: 224, parameters: 428, imagenet: 75.5, flickr: 65, takeFor: 'what was built on it already; slow on a CPU' },
  { id: 'Xenova/clip-vit-base-patch16', title: 'CLIP ViT-B/16', license: 'mit', imageSize: 224, parameters: 150, imagenet: 68.3, flickr: 62.2, takeFor: 'embeddings that must match others of this model' },
  { id: 'Xenova/clip-vit-base-patch32', title: 'CLIP ViT-B/32', license: 'mit', imageSize: 224, parameters: 151, imagenet: 63.3, flickr: 58.8, takeFor: 'a first try, and embeddings that must match others of this model' },
  { id: 'Xenova/mobileclip_b', title: 'MobileCLIP B', ...apple, imagenet: 76.8, takeFor: 'research: the most accurate of its family' },
  { id: 'Xenova/mobileclip_s2', title: 'MobileCLIP S2', ...apple, imagenet: 74.4, takeFor: 'research, small machines' },
  { id: 'Xenova/mobileclip_s1', title: 'MobileCLIP S1', ...apple, imagenet: 72.6, takeFor: 'research, small machines' },
  { id: 'Xenova/mobileclip_s0', title: 'MobileCLIP S0', ...apple, imagenet: 67.8, takeFor: 'research, the smallest machines' },
];

/** The hub takes names in any case. */
export function findKnown(id: string): KnownModel | undefined {
  return knownModels.find((model) => model.id.toLowerCase() === id.toLowerCase());
}
