import { of, type Mutation } from './mutation.js';

const pixels = ['test/pixels.test.ts', 'test/resize.test.ts'];
const reading = ['test/reading.test.ts'];
const decode = of('src/encoder/picture/decode.ts', ['test/pixels.test.ts']);
const preprocess = of('src/encoder/picture/preprocess.ts', pixels);
const weights = of('src/encoder/picture/axis-weights.ts', pixels);
const colors = of('src/encoder/picture/colors.ts', pixels);
const resize = of('src/encoder/picture/resize.ts', pixels);

export const ofPicture: Mutation[] = [
  preprocess('long-edge-rounded', 'Math.floor((edge * shortestEdge) / short)', 'Math.round((edge * shortestEdge) / short)', 'Pictures of most shapes are a pixel wider than the model was trained with.'),
  preprocess('crop-a-pixel-off', ': (edge: number) => Math.floor(edge / 2);', ': (edge: number) => Math.ceil(edge / 2);', 'The middle that is cut out lies a pixel to the right.'),
  preprocess('values-by-256', '(v / 255 - mean[c]!)', '(v / 256 - mean[c]!)', 'All pictures are a little darker than the model was trained with.'),
  preprocess('frame-off-center', 'const left = Math.floor((size - width) / 2);', 'const left = Math.ceil((size - width) / 2);', 'Padded pictures lie a pixel to the right.'),
  weights('window-half-a-pixel-early', 'Math.trunc(center - support + 0.5)', 'Math.trunc(center - support)', 'Pixels differ from the reference.', {
    lives: 'It takes one position more, which lies outside the support, so that its weight is 0.',
  }),
  weights('weights-half-a-pixel-off', 'weight((k + start - center + 0.5)', 'weight((k + start - center)', 'Pixels differ from the reference.'),
  weights('negative-weights-rounded-up', 'Math.trunc(w < 0 ? w - 0.5 : w + 0.5)', 'Math.trunc(w + 0.5)', 'Pixels differ from the reference.'),
  resize('portrait-in-the-other-order', '> 2 * (upright.width - width)', '> (upright.width - width)', 'Squashed portraits differ from the reference.'),
  resize('turned-the-wrong-way', '[3, 4, 6, 7].includes(orientation)', '[3, 4, 7, 8].includes(orientation)', "Phones' upright pictures are embedded upside down."),
  colors('white-is-not-white', '(samples[i]! + 128) / 257', 'samples[i]! / 257', 'Grey of 16 bits comes out too dark.'),
  colors('ground-shows', 'const ground = 255 * (255 - alpha);', 'const ground = 254 * (255 - alpha);', 'Transparent pictures lie on grey.'),
  of('src/encoder/picture/yuv.ts', reading)('colors-of-another-matrix', '{ 1: 709, 2: 601,', '{ 1: 601, 2: 709,', 'Colors of AVIF pictures are off.'),
  of('src/encoder/picture/samples.ts', pixels)('cut-off-pictures-taken', "failOn: Strictness = 'error'", "failOn: Strictness = 'none'", 'Half of a picture is embedded as if it were whole.'),
  decode('turned-twice', "if (mediaType === 'image/avif' || mediaType === 'image/heic' || form.kind === 'gif') return 1;", '', "AVIF and HEIC of phones are embedded lying on their side."),
  of('src/encoder/picture/thumbnail.ts', pixels)('thumbnail-mirrored', '5: { flip: true, rotate: 90 }', '5: { flop: true, rotate: 90 }', 'Thumbnails of mirrored pictures are upside down.'),
  of('src/encoder/picture/thumbnail.ts', pixels)('small-pictures-blown-up', "fit: 'inside', withoutEnlargement: true", "fit: 'inside', withoutEnlargement: false", 'Thumbnails of icons are blurred.'),
  of('src/encoder/picture/resize-passes.ts', pixels)('rows-forgotten-too-early', 'const from = Math.min(needed, this.next);', 'const from = this.next;', 'Large pictures are embedded with rows of others.'),
  of('src/encoder/picture/kernels/resize.ts', pixels)('sums-cut-off', '+ (1 << 21)) >> 22;', ') >> 22;', 'Grey pictures come out too dark.'),
];
