import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import type { PageProps } from '../../shell/page-props.js';
import { useAskedWhileSeen } from '../../shell/seen.js';
import { useAsked } from '../asking.js';
import { useSectionTexts } from '../sections.js';
import { ModelCard } from './model-card.js';
import { Pulling } from './pulling.js';

const lookEveryMs = 5_000;

export function ModelsSection(_: PageProps) {
  const { client } = useSession();
  const { models: heading } = useSectionTexts();
  const { value, error, isRetried, isLoading, again } = useAsked((signal) => client.models({ signal }), [client]);
  const isChecking = (value ?? []).some(({ self_test: test, replacement }) => test.status === 'pending' || replacement?.status === 'checking');
  useAskedWhileSeen(isChecking ? lookEveryMs : undefined, () => isLoading || again());
  return (
    <section aria-busy={isLoading && !value}>
      <div class="section-head">
        <h2>{heading}</h2>
      </div>
      <Problem error={error} isRetried={isRetried} onAgain={again} />
      <ul class="cards">
        {value?.map((model, index) => <ModelCard key={model.id} model={model} isDefault={index === 0} onVerified={again} />)}
      </ul>
      {value && <Pulling onPulled={again} />}
    </section>
  );
}
