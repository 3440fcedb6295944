import { useState } from 'preact/hooks';
import type { ExportFormat } from '../../../contract/routes.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAction } from '../asking.js';
import { useFigures } from '../figures.js';
import { saveStream } from '../save-stream.js';
import type { PartProps } from './part-props.js';
import { useCollectionTexts } from './words.js';

const formats: Record<ExportFormat, string> = { jsonl: 'JSON Lines', parquet: 'Parquet' };

/** A collection as a file; all of them as a backup. */
export function TakeAway({ collection: { name } }: PartProps) {
  const { client } = useSession();
  const words = useCollectionTexts();
  const [thumbnails, setThumbnails] = useState(false);
  return (
    <section class="card">
      <h4>{words.takeAway}</h4>
      <p class="quiet">{words.exportWhat}</p>
      <label class="choice">
        <input type="checkbox" checked={thumbnails} onChange={(event) => setThumbnails(event.currentTarget.checked)} />
        <span>{words.withThumbnails}</span>
      </label>
      <div class="actions">
        {(Object.keys(formats) as ExportFormat[]).map((format) => (
          <Download key={format} file={`${name}.${format}`} address={client.exportUrl(name, { format, thumbnails })} bring={(signal) => client.exportItems(name, { format, thumbnails, signal })}>
            {words.exportAs(formats[format])}
          </Download>
        ))}
        <Download file="mixspace-backup.tar" address={client.backupUrl()} bring={(signal) => client.backup({ signal })}>
          {words.backup}
        </Download>
      </div>
      <p class="quiet">
        {words.backupWhat} <code>npx mixspace backup FILE</code>
      </p>
    </section>
  );
}

interface DownloadProps {
  file: string;
  address: string;
  bring: (signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  children: string;
}

/** A link; where a key is needed, a button that brings the bytes with it. */
function Download({ file, address, bring, children }: DownloadProps) {
  const { hasKey } = useSession();
  const words = useCollectionTexts();
  const { bytes } = useFigures();
  const { run, isBusy, error, stop } = useAction();
  const [sofar, setSofar] = useState(0);
  if (!hasKey) {
    return (
      <a class="button" href={address} download={file}>
        {children}
      </a>
    );
  }
  const save = (): void =>
    void run(async (signal) => {
      setSofar(0);
      await saveStream(await bring(signal), file, setSofar, signal);
    });
  return (
    <>
      <button type="button" disabled={isBusy} aria-busy={isBusy} onClick={save}>
        {children}
        {isBusy && ` (${words.sofar(bytes(sofar))})`}
      </button>
      {isBusy && (
        <button type="button" onClick={stop}>
          {words.cancel}
        </button>
      )}
      <Problem error={error} onAgain={save} />
    </>
  );
}
