/** Packages that embed texts alone, or pictures alone, as their model.json says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, searchIn } from './api.js';
import { flat, readsTexts, startSmall, type SmallService } from './small-service.js';

let service: SmallService;
beforeAll(async () => {
  const textsAlone = { ...readsTexts, 'model.json': { ...(readsTexts!['model.json'] as object), modalities: ['text'] }, 'onnx/vision_model.onnx': undefined };
  const picturesAlone = { 'model.json': { modalities: ['image'] }, 'onnx/text_model.onnx': undefined, 'tokenizer.json': undefined, 'tokenizer_config.json': undefined };
  const halved = { ...readsTexts, 'onnx/vision_model.onnx': undefined };
  service = await startSmall({ pictures: picturesAlone, texts: textsAlone, both: readsTexts, halved });
});
afterAll(() => service.remove());

describe('A package of one tower', () => {
  it('is listed with what it embeds, as the default model, too, which readiness tries', async () => {
    for (const model of ['texts', 'both']) await service.embed('a river', model);
    const listed = new Map<string, any>((await service.get('/v1/models')).body.data.map((each: any) => [each.id, each]));
    expect(listed.get('pictures')).toMatchObject({ modalities: ['image'], dimensions: 4, context_length: null, image_size: 8 });
    expect(listed.get('texts')).toMatchObject({ modalities: ['text'], dimensions: 4, context_length: 77, image_size: null });
    expect(listed.get('both')).toMatchObject({ modalities: ['text', 'image'], context_length: 77, image_size: 8 });
    expect((await service.get('/readyz')).status).toBe(200);
  });

  it('gives the embeddings that the tower gives beside another, and refuses the rest in a sentence', async () => {
    const image = await flat(200, 40, 10);
    expect(await service.embed({ image }, 'pictures')).toEqual(await service.embed({ image }, 'both'));
    expect(await service.embed('a river', 'texts')).toEqual(await service.embed('a river', 'both'));
    for (const [model, input, what] of [['pictures', 'a river', 'pictures'], ['texts', { image }, 'texts']] as const) {
      const { status, body } = await service.post('/v1/embeddings', { model, input: [input] });
      expect([status, body.error.message]).toEqual([400, `Model "${model}" embeds ${what} alone.`]);
    }
  });

  it('fills collections with what it embeds, which are searched by that; an entry of the other kind fails alone', async () => {
    const [red, blue] = [await flat(250, 10, 10), await flat(10, 10, 250)];
    await service.collection('shots', { model: 'pictures' });
    const outcomes = await service.add('shots', [{ id: 'red', image: red }, { id: 'blue', image: blue }]);
    expect(outcomes.map(({ status }) => status)).toEqual(['created', 'created']);
    expect((await service.search('shots', { query: { image: blue } }))[0]).toEqual(['blue', expect.closeTo(1, 5)]);
    expect((await service.search('shots', { query: { id: 'red' } })).map(([id]) => id)).toEqual(['blue']);
    const { status, body } = await call(service.server.url, 'POST', searchIn('shots'), { query: 'red' });
    expect([status, body.error.message]).toEqual([400, 'Model "pictures" embeds pictures alone.']);
  });

  it('is refused where it does not say that it is one: the other tower may have got lost', async () => {
    const { status, body } = await service.post('/v1/embeddings', { model: 'halved', input: ['a river'] });
    expect([status, body.error.message]).toEqual([503, expect.stringMatching(/vision_model\.onnx and text_model\.onnx/)]);
  });
});
