import { Tiles, type Collection } from '../../../contract/collections.js';
import { useCollectionTexts } from './words.js';

/** How pictures are cut. */
export function TilesChoice({ tiles, onTiles }: { tiles: Collection['tiles']; onTiles: (tiles: Collection['tiles']) => void }) {
  const words = useCollectionTexts();
  return (
    <label>
      <span>{words.tiles}</span>
      <select value={tiles} onChange={(event) => onTiles(event.currentTarget.value as Collection['tiles'])}>
        {Tiles.options.map((each) => (
          <option key={each} value={each}>
            {words.tileChoices[each]}
          </option>
        ))}
      </select>
      <small>{words.tilesWhat}</small>
    </label>
  );
}
