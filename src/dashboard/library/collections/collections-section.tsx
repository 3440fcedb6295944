import { useEffect, useState } from 'preact/hooks';
import type { Collection } from '../../../contract/collections.js';
import { useCollections } from '../../shell/collections.js';
import { useMayWrite } from '../../shell/own-key.js';
import type { PageProps } from '../../shell/page-props.js';
import { useAskedWhileSeen } from '../../shell/seen.js';
import { Problem } from '../../shell/problem.js';
import { ClustersPart } from '../clusters/clusters-part.js';
import { DuplicatesPart } from '../duplicates/duplicates-part.js';
import { SectionLinks } from '../section-links.js';
import { partFrom, parts, useSectionTexts, type Part } from '../sections.js';
import { CollectionList } from './collection-list.js';
import { NewCollection } from './new-collection.js';
import { Overview } from './overview.js';
import type { PartProps } from './part-props.js';
import { useCollectionTexts } from './words.js';

/** No event tells of a graph that is built, or of what others add. */
const lookEveryMs = 5_000;
const quietMs = 30_000;

const shown: Record<Part, (props: PartProps) => preact.JSX.Element> = { overview: Overview, duplicates: DuplicatesPart, clusters: ClustersPart };
const isMoving = ({ graph, full_text: words, reembedding }: Collection): boolean => graph.state === 'building' || words.state === 'building' || reembedding?.state === 'running';

/** All collections beside the one that the address names, with what can be done with it. */
export function CollectionsSection({ address, go }: PageProps) {
  const words = useCollectionTexts();
  const sections = useSectionTexts();
  const { value, error, isRetried, isLoading, again } = useCollections();
  const [isCreating, setCreating] = useState(false);
  const mayCreate = useMayWrite();
  const chosen = value?.find(({ name }) => name === address.collection);
  const part = partFrom(address.query);
  const moves = chosen !== undefined && isMoving(chosen);
  // Figures change under one's hands: what was there when the page was opened is not what is there now.
  useEffect(again, []);
  useAskedWhileSeen(moves ? lookEveryMs : quietMs, () => isLoading || again());
  const Shown = shown[part];
  return (
    <section aria-busy={isLoading && !value} class="collections">
      <div class="section-head">
        <h2>{sections.collections}</h2>
        {mayCreate && (
          <button type="button" aria-expanded={isCreating} onClick={() => setCreating(!isCreating)}>
            {words.create}
          </button>
        )}
      </div>
      <Problem error={error} isRetried={isRetried} onAgain={again} />
      {isCreating && (
        <NewCollection
          onClose={() => setCreating(false)}
          onCreated={(name) => {
            setCreating(false);
            again();
            go({ collection: name, query: {} });
          }}
        />
      )}
      <div class="beside">
        {value && <CollectionList collections={value} chosen={address.collection} />}
        {value && !chosen && !isLoading && <p class="quiet">{words.unknown(address.collection)}</p>}
        {chosen && (
          <article aria-labelledby="chosen-collection">
            <h3 id="chosen-collection" class="chosen">
              {chosen.name}
            </h3>
            {chosen.description !== null && chosen.description !== '' && (
              <p class="description">
                <bdi>{chosen.description}</bdi>
              </p>
            )}
            <SectionLinks label={sections.parts} names={parts} words={sections} chosen={part} collection={chosen.name} queryOf={(name) => (name === 'overview' ? {} : { part: name })} />
            <Shown collection={chosen} address={address} go={go} onChanged={again} />
          </article>
        )}
      </div>
    </section>
  );
}
