import type { Key, OwnKey } from '../../../contract/keys.js';
import type { PageProps } from '../../shell/page-props.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAsked } from '../asking.js';
import { When } from '../facts.js';
import { useFigures } from '../figures.js';
import { useSectionTexts } from '../sections.js';
import { useKeyTexts } from './words.js';

/** Only who may do anything, in all collections, sees the others. */
const seesAll = ({ scope, collections }: OwnKey): boolean => scope === 'admin' && collections === undefined;

export function KeysSection(_: PageProps) {
  const { client } = useSession();
  const { keys: heading } = useSectionTexts();
  const words = useKeyTexts();
  const { value, error, isRetried, isLoading, again } = useAsked(
    async (signal) => {
      const own = await client.ownKey({ signal });
      return { own, keys: seesAll(own) ? await client.keys({ signal }) : undefined };
    },
    [client],
  );
  return (
    <section aria-busy={isLoading && !value}>
      <div class="section-head">
        <h2>{heading}</h2>
      </div>
      <Problem error={error} isRetried={isRetried} onAgain={again} />
      {value && (value.own.name === undefined ? <p>{words.open}</p> : !value.keys && <p>{words.own(value.own.name)}</p>)}
      {value && value.own.name !== undefined && <KeyTable keys={value.keys ?? [value.own]} />}
      {value && <p class="quiet">{words.how}</p>}
    </section>
  );
}

function KeyTable({ keys }: { keys: (Key | OwnKey)[] }) {
  const words = useKeyTexts();
  const { count } = useFigures();
  const { name, scope, collections, rate, calls, lastUsed } = words.columns;
  const isCounted = keys.some((key) => 'calls' in key);
  return (
    <div class="wide">
      <table class="keys">
        <thead>
          <tr>
            {[name, scope, collections, rate, ...(isCounted ? [calls, lastUsed] : [])].map((each) => (
              <th key={each} scope="col">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {keys.map((key, i) => (
            <tr key={i}>
              <th scope="row">
                <bdi>{key.name}</bdi>
              </th>
              <td>{words.scopes[key.scope]}</td>
              <td>{key.collections === undefined ? words.all : key.collections.join(', ')}</td>
              <td>{key.rate === undefined ? words.noBound : words.perMinute(count(key.rate))}</td>
              {'calls' in key && <td class="number">{count(key.calls)}</td>}
              {'calls' in key && <td>{key.last_used_at === undefined ? words.never : <When time={key.last_used_at} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
