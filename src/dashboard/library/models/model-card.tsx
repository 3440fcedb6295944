import { useState } from 'preact/hooks';
import type { Model, SelfTest } from '../../../contract/models.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAction } from '../asking.js';
import { Facts } from '../facts.js';
import { useFigures } from '../figures.js';
import { useModelTexts } from './words.js';

/** A cosine below 1 must not look like 1. */
const cosine = (value: number): string => (Math.floor(value * 1e6) / 1e6).toFixed(6);

export function ModelCard({ model, isDefault, onVerified }: { model: Model; isDefault: boolean; onVerified: () => void }) {
  const { client } = useSession();
  const words = useModelTexts();
  const { count, bytes } = useFigures();
  const { say } = useAnnouncements();
  const { run, isBusy, error } = useAction();
  const [verified, setVerified] = useState<SelfTest>();
  const test = verified ?? model.self_test;
  const verify = (): void =>
    void run(async (signal) => {
      const outcome = await client.selfTest(model.id, { signal });
      setVerified(outcome);
      say(`${model.id}: ${words.states[outcome.status]}`);
      onVerified();
    });
  const name = words.facts;
  const maybe = (value: number | null, said: (figure: string) => string = (figure) => figure): string | undefined => (value === null ? undefined : said(count(value)));
  return (
    <li class="card model">
      <div class="card-head">
        <h3>
          {model.id}
          {isDefault && <span class="quiet"> · {words.isDefault}</span>}
        </h3>
        <span class={`state ${test.status}`}>{words.states[test.status]}</span>
      </div>
      {model.description !== undefined && <p>{model.description}</p>}
      {test.error !== undefined && <p class="reason">{test.error}</p>}
      {model.replacement && <p class="reason">{model.replacement.status === 'checking' ? words.replacing : words.notReplaced(model.replacement.error ?? '')}</p>}
      <Facts
        facts={[
          [name.modalities, model.modalities.map((each) => words.modality[each]).join(', ') || undefined],
          [name.dimensions, maybe(model.dimensions)],
          [name.context, maybe(model.context_length, words.tokens)],
          [name.imageSize, maybe(model.image_size, words.pixels)],
          [name.languages, model.languages?.join(', ')],
          [name.license, model.license ?? undefined],
          [name.memory, model.loaded ? words.held(bytes(model.memory_bytes), count(model.loaded_in)) : words.notHeld],
          [name.weights, model.variant === undefined ? undefined : `${model.variant}${model.variants && model.variants.length > 1 ? ` (${model.variants.join(', ')})` : ''}`],
          [name.provider, model.execution_provider],
          [name.preprocessing, model.preprocess_speed],
          [name.matryoshka, model.matryoshka_dimensions?.map(count).join(', ')],
          [name.calibrated, model.calibrated ? words.yes : words.no],
          [name.fingerprint, model.fingerprint ?? undefined],
        ]}
      />
      {test.status === 'unverified' && <p class="quiet">{words.noGolden}</p>}
      {(test.image ?? test.text) && (
        <div class="self-test">
          <p class="quiet">
            {words.checked(verified ? 'now' : 'before')}
            {test.least_cosine !== undefined && ` (${words.must(String(test.least_cosine))})`}:
          </p>
          <ul>
            {test.image && <li>{words.cosines(words.modality.image, count(test.image.count), cosine(test.image.lowest_cosine))}</li>}
            {test.text && (
              <li>
                {words.cosines(words.modality.text, count(test.text.count), cosine(test.text.lowest_cosine))}, {words.otherTokens(count(test.text.other_tokens))}
              </li>
            )}
          </ul>
        </div>
      )}
      <div class="actions">
        <button type="button" disabled={isBusy} aria-busy={isBusy} onClick={verify}>
          {isBusy ? words.verifying : words.verify}
        </button>
      </div>
      <Problem error={error} onAgain={verify} />
    </li>
  );
}
