import { memo } from 'preact/compat';
import { Picture, titleOf } from '../items/picture.js';
import { texts, useLanguage } from '../shell/language.js';
import type { Result } from './results.js';

export const useTileTexts = texts({
  en: { results: 'Results', onlyThis: 'Show this folder alone', similarity: 'Cosine similarity', relevance: (percent: string) => `${percent} relevant` },
  de: { results: 'Ergebnisse', onlyThis: 'Nur diesen Ordner zeigen', similarity: 'Kosinus-Ähnlichkeit', relevance: (percent: string) => `zu ${percent} passend` },
  zh: { results: '结果', onlyThis: '只显示此文件夹', similarity: '余弦相似度', relevance: (percent: string) => `相关度 ${percent}` },
});

interface TileProps {
  collection: string;
  item: Result;
  index: number;
  /** -1: nobody knows. */
  setSize: number;
  name: string;
  box: { left: number; top: number; width: number; height: number };
  showsScores: boolean;
  /** The one that the keyboard comes to. */
  isActive: boolean;
  onFocus: (index: number) => void;
  onOpen: (item: Result) => void;
}

export const Tile = memo(
  function Tile({ collection, item, index, setSize, name, box: { left, top, width, height }, showsScores, isActive, onFocus, onOpen }: TileProps) {
    return (
      <li style={{ left: `${left}px`, top: `${top}px`, width: `${width}px` }} aria-posinset={index + 1} aria-setsize={setSize}>
        <button type="button" class="tile" tabIndex={isActive ? 0 : -1} data-index={index} onFocus={() => onFocus(index)} onClick={() => onOpen(item)}>
          <span class="face" style={{ height: `${height}px` }}>
            {item.modality === 'image' && item.image_url !== undefined ? <Picture collection={collection} item={item} size="thumbnail" /> : <span class="said">{titleOf(item)}</span>}
          </span>
          <span class="caption">
            <span class="title" title={titleOf(item)}>
              {name}
            </span>
            <Worth item={item} showsScore={showsScores} />
          </span>
        </button>
      </li>
    );
  },
  (before, after) => before.item === after.item && before.index === after.index && before.setSize === after.setSize && before.name === after.name && before.isActive === after.isActive && before.showsScores === after.showsScores && before.onOpen === after.onOpen && sameBox(before.box, after.box),
);

const sameBox = (a: TileProps['box'], b: TileProps['box']): boolean => a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height;

/** How relevant a match is; the score where that is asked for, or nobody can say. */
function Worth({ item: { score, relevance }, showsScore }: { item: Result; showsScore: boolean }) {
  const words = useTileTexts();
  const percent = usePercent();
  if (score === undefined) return null;
  if (showsScore || relevance === undefined)
    return (
      <span class="score" title={words.similarity}>
        {score.toFixed(3)}
      </span>
    );
  return (
    <span class="relevance" title={words.relevance(percent(relevance))}>
      <span aria-hidden="true">
        <span style={{ width: `${100 * relevance}%` }} />
      </span>
      {percent(relevance)}
    </span>
  );
}

export function usePercent(): (share: number) => string {
  const language = useLanguage();
  return (share) => share.toLocaleString(language, { style: 'percent' });
}
