import { z } from 'zod';
import { scopes } from '../domain/scope.js';
import { CollectionName } from './shared.js';

export const Scope = z.enum(scopes).meta({ id: 'Scope', description: '`read` asks, `write` also changes what collections and classifiers hold, `admin` also concerns the whole service: backups, restoring, models from a hub, keys.' });
export type Scope = z.infer<typeof Scope>;

const held = {
  scope: Scope,
  collections: z.array(CollectionName).optional().meta({ description: 'The only ones that the key reaches. Left out: all, and what concerns the whole service.' }),
  rate: z.number().int().optional().meta({ description: 'Calls in any minute. Left out: no bound.' }),
};

export const OwnKey = z
  .object({ name: z.string().optional().meta({ description: 'Left out where the service has no keys.' }), ...held })
  .meta({ id: 'OwnKey', description: 'What the caller may do.' });
export type OwnKey = z.infer<typeof OwnKey>;

export const Key = z
  .object({
    name: z.string().meta({ description: 'As the log tells it.' }),
    ...held,
    calls: z.number().int().meta({ description: 'Since the service started.' }),
    last_used_at: z.string().optional(),
  })
  .meta({ id: 'Key', description: 'What one key may do; the key itself is nowhere told.' });
export type Key = z.infer<typeof Key>;

export const KeyList = z.object({ keys: z.array(Key).meta({ description: 'In the order in which they are set; empty where anyone may call.' }) }).meta({ id: 'KeyList' });
export type KeyList = z.infer<typeof KeyList>;
