import { MixspaceApiError, type JobEvent, type MixspaceClient } from '../../client/index.js';
import { isPassing } from './errors.js';
import { growingPause } from './growing-pause.js';
import { whenSeen, whileSeen } from './seen.js';

/**
 * What happens to a job until it has ended. A stream that breaks off is taken up again behind the last event, however long the
 * service is gone; of a hidden tab there is none. Over as soon as `signal` is aborted.
 * @throws what does not pass, such as that there is no such job.
 */
export async function* followJob(client: MixspaceClient, id: string, signal: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
  let after: string | undefined;
  for (let attempt = 0; !signal.aborted; ) {
    await whenSeen(signal);
    const looking = whileSeen(signal);
    try {
      for await (const event of client.followJob(id, { signal: looking.signal, ...(after === undefined ? {} : { after }) })) {
        if (signal.aborted) return;
        attempt = 0;
        after = event.id;
        yield event;
        if (event.type === 'end') return;
      }
      if (!looking.signal.aborted) return;
    } catch (error) {
      if (signal.aborted) return;
      if (looking.signal.aborted) continue;
      if (error instanceof MixspaceApiError && !isPassing(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, growingPause(attempt++)));
    } finally {
      looking.end();
    }
  }
}
