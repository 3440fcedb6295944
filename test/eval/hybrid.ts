/** Codes in file names and pieces of Chinese names are found by words; plain captions lose nothing by it. Flickr8k, dev. */
import type { MixspaceClient } from '../../src/client/index.js';
import type { Embedder } from './embedder.js';
import { figureOf, type Figure } from './figure.js';
import { captionedPhotos } from './pack.js';

const depths = [1, 10] as const;
const chineseFolders = ['北京大学', '上海外滩', '西湖风景', '长城旅行', '故宫博物院', '家庭聚会', '公司年会', '毕业典礼', '春节庙会', '滑雪场'];
const chineseNames = ['秋天的银杏树', '夜景灯光秀', '湖边散步', '登山合影', '红墙黄瓦', '生日蛋糕', '团队合影', '学士服照片', '舞狮表演', '雪地缆车'];

export async function hybrid(client: MixspaceClient, embedder: Embedder): Promise<Figure[]> {
  const photos = captionedPhotos();
  const embeddings = await embedder.pictures(photos.map(({ webp }) => webp));
  const name = 'hybrid-eval';
  await client.call('createCollection', { body: { name } });
  // Each has the name that it has in the set; a hundred have a code besides, fifty a Chinese name.
  const codeOf = (place: number): string => `DSC_${String(40_000 + place * 37)}`;
  const sourceOf = (place: number): string =>
    place < 100 ? `Camera/${codeOf(place)} ${photos[place]!.name}` : place < 150 ? `${chineseFolders[place % 10]!}/${chineseNames[Math.floor(place / 5) % 10]!}${place}.webp` : photos[place]!.name;
  for (let from = 0; from < photos.length; from += 250) {
    await client.addItems(name, embeddings.slice(from, from + 250).map((embedding, i) => ({ id: `p${from + i}`, source: sourceOf(from + i), embedding: [...embedding], modality: 'image' as const })));
  }
  const rank = async (query: string, isOwn: (id: string) => boolean, lexical: 'auto' | 'off'): Promise<number> => {
    const { matches } = await client.search(name, query, { lexical, limit: 10 });
    const at = matches.findIndex(({ id }) => isOwn(id));
    return at < 0 ? Infinity : at + 1;
  };
  const codes: number[] = [];
  for (let place = 0; place < 100; place++) codes.push(await rank(codeOf(place), (id) => id === `p${place}`, 'auto'));
  const pieces: number[] = [];
  for (let place = 100; place < 150; place++) {
    const whole = sourceOf(place).split('/')[1]!.replace(/\d.*/, '');
    const piece = whole.slice(place % 3, (place % 3) + 2 + (place % 2));
    pieces.push(await rank(piece, (id) => sourceOf(Number(id.slice(1))).includes(piece), 'auto'));
  }
  const [off, auto]: [number[], number[]] = [[], []];
  for (const [place, { captions }] of photos.entries()) {
    const caption = captions[place % captions.length]!;
    off.push(await rank(caption, (id) => id === `p${place}`, 'off'));
    auto.push(await rank(caption, (id) => id === `p${place}`, 'auto'));
  }
  await client.deleteCollection(name);
  return [
    figureOf(`A code in the file name, of ${photos.length} pictures`, codes, [...depths], { within: 10, share: 1 }),
    figureOf('A piece of a Chinese file name', pieces, [...depths], { within: 10, share: 1 }),
    figureOf('Plain captions, without words', off, [...depths]),
    figureOf('Plain captions, with words', auto, [...depths]),
  ];
}
