import { Facts, When } from '../facts.js';
import { useFigures } from '../figures.js';
import type { PartProps } from './part-props.js';
import { Reembedding } from './reembedding.js';
import { Removal } from './removal.js';
import { Searches } from './searches.js';
import { Settings } from './settings.js';
import { TakeAway } from './take-away.js';
import { useCollectionTexts } from './words.js';

export function Overview(props: PartProps) {
  const { collection } = props;
  const words = useCollectionTexts();
  const { count, bytes } = useFigures();
  const { counts, parts, not_embedded: missing, model, model_available: isThere, dimensions, originals, bytes: stored, created_at: created, fingerprint } = collection;
  const name = words.facts;
  return (
    <div class="overview">
      <Facts
        facts={[
          [name.pictures, count(counts.image)],
          [name.texts, count(counts.text)],
          [name.parts, count(parts)],
          [name.notEmbedded, missing === 0 ? count(0) : `${count(missing)} (${words.notEmbeddedWhy})`],
          [name.bytes, bytes(stored)],
          [name.originals, words.originals[originals]],
          [name.model, isThere ? model : `${model} (${words.modelGone})`],
          [name.dimensions, count(dimensions)],
          [name.created, <When time={created} />],
          [name.fingerprint, fingerprint],
        ]}
      />
      <Searches {...props} />
      <Settings {...props} />
      <Reembedding {...props} />
      <TakeAway {...props} />
      <Removal {...props} />
    </div>
  );
}
