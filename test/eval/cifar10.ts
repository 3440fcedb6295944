import type { MixspaceClient } from '../../src/client/index.js';
import type { Figure } from './figure.js';
import { labelledPictures } from './pack.js';
import { zeroShot } from './zero-shot.js';

const chinese = {
  as: new Map([
    ['airplane', '飞机'],
    ['automobile', '汽车'],
    ['bird', '鸟'],
    ['cat', '猫'],
    ['deer', '鹿'],
    ['dog', '狗'],
    ['frog', '青蛙'],
    ['horse', '马'],
    ['ship', '轮船'],
    ['truck', '卡车'],
  ]),
  templates: ['一张{}的照片', '{}', '一只{}', '{}的图片', '一张模糊的{}照片', '一张{}的小照片', '照片里有{}'],
};

export async function cifar10(client: MixspaceClient): Promise<Figure[]> {
  const pictures = labelledPictures('cifar10-test');
  return [
    ...(await zeroShot(client, { name: 'CIFAR-10 test', pictures, minimum: { within: 1, share: 0.52 } })),
    ...(await zeroShot(client, { name: 'CIFAR-10 test in Chinese', pictures, said: chinese, minimum: { within: 1, share: 0.48 } })),
  ];
}
