import { z } from 'zod';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

const Globs = maybe(list(z.string().min(1)).max(limits.globs, `At most ${limits.globs} globs.`));

export const SyncRequest = z
  .strictObject({
    root: z.string().min(1).max(limits.pathLength).meta({ description: "A folder, or a file, under one of the server's roots: what lies there comes into the collection, and what came from there and is no longer there goes." }),
    prune: maybe(z.boolean()).meta({ description: 'Remove what is no longer there however much it is. Default false: when more than a third of the files seen under the root, and more than ten, have gone at once (both are settings), nothing is removed, and the job\'s result says so under `withheld`.' }),
    exclude: Globs.meta({ description: 'What is left out: globs as `.gitignore` has them, below the root; `!GLOB` takes back what is left out otherwise (hidden files, folders of other programs, what a `.mixspaceignore` names). What was taken in before and is left out now goes.' }),
    include: Globs.meta({ description: 'Globs of what is taken in all the same, whatever else leaves it out.' }),
    dry_run: maybe(z.boolean()).meta({ description: 'Change nothing: the result of the job says what would be. Default false.' }),
  })
  .meta({ id: 'SyncRequest' });
export type SyncRequest = z.infer<typeof SyncRequest>;
