import { useEffect, useRef, useState } from 'preact/hooks';
import type { Cluster } from '../../../contract/clusters.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAction } from '../asking.js';
import { useClusterTexts } from './words.js';

interface ClusterNameProps {
  collection: string;
  cluster: Cluster;
  onRenamed: (cluster: Cluster) => void;
}

/** A name that is changed where it stands: Enter saves, Escape leaves it; one that is refused stays in the box. */
export function ClusterName({ collection, cluster: { id, name }, onRenamed }: ClusterNameProps) {
  const { client } = useSession();
  const words = useClusterTexts();
  const { say } = useAnnouncements();
  const { run, isBusy, error } = useAction();
  const [text, setText] = useState<string>();
  const box = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const isEdited = text !== undefined;
  const wasEdited = useRef(false);
  useEffect(() => {
    if (isEdited) box.current?.select();
    else if (wasEdited.current) button.current?.focus();
    wasEdited.current = isEdited;
  }, [isEdited]);
  const save = (): void =>
    void run(async (signal) => {
      const renamed = await client.renameCluster(collection, id, text!, { signal });
      say(words.renamed(renamed.name));
      setText(undefined);
      onRenamed(renamed);
    });
  if (text === undefined) {
    return (
      <h4 class="cluster-name">
        <button ref={button} type="button" title={words.rename(name)} aria-label={words.rename(name)} onClick={() => setText(name)}>
          <bdi>{name}</bdi>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M4 20h4L19 9l-4-4L4 16z" />
          </svg>
        </button>
      </h4>
    );
  }
  return (
    <form
      class="cluster-name"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => event.key === 'Escape' && setText(undefined)}
    >
      <input ref={box} aria-label={words.newName(name)} value={text} required autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />
      <button type="submit" class="primary" disabled={isBusy}>
        {words.save}
      </button>
      <button type="button" onClick={() => setText(undefined)}>
        {words.cancel}
      </button>
      <Problem error={error} />
    </form>
  );
}
