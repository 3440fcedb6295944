/** Where a score stands among those that the text has with pictures drawn from the collection. */
import { useEffect, useRef } from 'preact/hooks';
import type { Collection } from '../../contract/collections.js';
import type { MixspaceClient } from '../../client/index.js';
import { useFigures } from '../items/figures.js';
import { samplePictures } from '../items/sample.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import { cosine } from './scores.js';
import { useCompareTexts } from './words.js';

const sampleSize = 500;
const bins = 40;
const width = 640;
const height = 170;
const base = 140;

/** Drawn once for a collection as it is. */
const drawn = new Map<string, Promise<Float32Array[]>>();

function backgroundOf(client: MixspaceClient, collection: Collection): Promise<Float32Array[]> {
  const key = `${collection.name} ${collection.fingerprint} ${collection.counts.image}`;
  let embeddings = drawn.get(key);
  if (!embeddings) {
    embeddings = samplePictures(client, collection, sampleSize).then(async (items) =>
      items.length === 0 ? [] : (await client.itemEmbeddings(collection.name, items.map(({ id }) => id))).filter(({ part }) => part === 0).map(({ embedding }) => embedding),
    );
    embeddings.catch(() => drawn.delete(key));
    drawn.set(key, embeddings);
  }
  return embeddings;
}

interface BackgroundProps {
  collection: Collection;
  /** That the score is of. */
  model: string;
  text: string;
  embedding: Float32Array;
  name: string;
  score: number;
  onClose: () => void;
}

export function Background({ collection, model, text, embedding, name, score, onClose }: BackgroundProps) {
  const words = useCompareTexts();
  const { cosine: told, count, share } = useFigures();
  const { client } = useSession();
  const isOfCollection = model === collection.model;
  const sample = useLoaded(() => (isOfCollection ? backgroundOf(client, collection) : Promise.resolve([])), [client, collection.name, isOfCollection]);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.scrollIntoView({ block: 'nearest' }), [text, name]);
  const scores = (sample.value ?? []).filter(({ length }) => length === embedding.length).map((each) => cosine(each, embedding));
  return (
    <section class="background panel" aria-labelledby="background-title" aria-busy={sample.isLoading}>
      <h2 id="background-title" ref={heading}>
        {words.worth}
      </h2>
      <button type="button" onClick={onClose}>
        {words.close}
      </button>
      <p>
        <bdi>{words.cell(text, name, told(score))}</bdi>
      </p>
      <Problem error={sample.error} onAgain={sample.again} />
      {!isOfCollection && <p class="quiet">{words.otherModel(collection.model)}</p>}
      {isOfCollection && sample.value && scores.length === 0 && <p class="quiet">{words.empty}</p>}
      {scores.length > 0 && (
        <>
          <p role="status">
            {words.stands(told(score), share(scores.filter((each) => each < score).length / scores.length), count(scores.length))} {words.nearest(told(Math.max(...scores)), told(scores.reduce((a, b) => a + b, 0) / scores.length))}
          </p>
          <Histogram scores={scores} score={score} told={told} title={words.axis} />
        </>
      )}
    </section>
  );
}

function Histogram({ scores, score, told, title }: { scores: number[]; score: number; told: (value: number) => string; title: string }) {
  const low = Math.min(score, ...scores);
  const high = Math.max(score, ...scores);
  const span = high - low || 1;
  const at = (value: number): number => ((value - low) / span) * width;
  const counts = Array.from({ length: bins }, () => 0);
  for (const each of scores) counts[Math.min(bins - 1, Math.floor(((each - low) / span) * bins))]!++;
  const most = Math.max(...counts);
  const bar = width / bins;
  const anchor = (x: number): 'start' | 'middle' | 'end' => (x < 40 ? 'start' : x > width - 40 ? 'end' : 'middle');
  return (
    <figure>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
        {counts.map((number, index) => (
          <rect key={index} class={low + (span * (index + 1)) / bins <= score ? 'below' : 'above'} x={index * bar + 0.75} y={base - (number / most) * (base - 30)} width={bar - 1.5} height={(number / most) * (base - 30)} />
        ))}
        <line class="axis" x1="0" x2={width} y1={base + 0.5} y2={base + 0.5} />
        <line class="here" x1={at(score)} x2={at(score)} y1="25" y2={base} />
        <text class="here" x={at(score)} y="18" text-anchor={anchor(at(score))}>
          {told(score)}
        </text>
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <text key={part} x={part * width} y={base + 22} text-anchor={anchor(part * width)}>
            {told(low + part * span)}
          </text>
        ))}
      </svg>
      <figcaption class="quiet">{title}</figcaption>
    </figure>
  );
}
