import { z } from 'zod';
import { Filter } from './filter.js';
import { limits } from './limits.js';
import { Modality } from './shared.js';
import { maybe } from './zod-helpers.js';

export const clusterLanguages = ['en', 'de', 'zh'] as const;
export const ClusterLanguage = z.enum(clusterLanguages).meta({ id: 'ClusterLanguage' });
export type ClusterLanguage = z.infer<typeof ClusterLanguage>;

export const ClustersRequest = z
  .strictObject({
    count: maybe(z.number().int().min(2, 'count is at least 2.').max(limits.clusters, `count is at most ${limits.clusters}.`)).meta({ description: 'How many; fewer where the items differ too little. Left out: by how many items there are and how they lie.' }),
    modality: maybe(Modality).meta({ description: 'Default: pictures where there are any, else texts.' }),
    filter: maybe(Filter).meta({ description: 'Only items that match.' }),
    language: maybe(ClusterLanguage).meta({ description: 'Of the names. Default `en`.' }),
  })
  .meta({ id: 'ClustersRequest' });
export type ClustersRequest = z.infer<typeof ClustersRequest>;

export const ClustersQuery = z.strictObject({ language: ClusterLanguage.optional().meta({ description: 'Of the names. Default: the one that they were made in. Names that somebody gave stay.' }) });

export const ClusterItem = z
  .object({ id: z.string(), score: z.number().meta({ description: "Cosine with the cluster's center, both less the mean of all." }), image_url: z.string().optional() })
  .meta({ id: 'ClusterItem' });
export type ClusterItem = z.infer<typeof ClusterItem>;

export const Cluster = z
  .object({
    id: z.string().meta({ description: 'Stays, as does a name that was given, when clusters are made anew and this one holds much of what it held.' }),
    name: z.string(),
    renamed: z.boolean().meta({ description: 'Somebody gave it its name.' }),
    words: z.array(z.string()).meta({ description: 'The nearest of the vocabulary, best first.' }),
    size: z.number().int(),
    examples: z.array(ClusterItem).meta({ description: 'Those nearest to its center.' }),
  })
  .meta({ id: 'Cluster' });
export type Cluster = z.infer<typeof Cluster>;

export const Clusters = z
  .object({
    job: z.string(),
    at: z.string().meta({ description: 'When they were made.' }),
    modality: Modality,
    language: ClusterLanguage,
    items: z.number().int().meta({ description: 'How many are in them.' }),
    clusters: z.array(Cluster).meta({ description: 'The largest first. No two have one name.' }),
  })
  .meta({ id: 'Clusters' });
export type Clusters = z.infer<typeof Clusters>;

export const ClusterPage = Cluster.omit({ examples: true })
  .extend({ items: z.array(ClusterItem).meta({ description: 'The nearest to its center first. Those that have gone since are left out.' }), next_cursor: z.string().optional() })
  .meta({ id: 'ClusterPage' });
export type ClusterPage = z.infer<typeof ClusterPage>;

export const ClusterName = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1, 'A name has at least one character.')
      .max(limits.clusterNameLength, `A name has at most ${limits.clusterNameLength} characters.`)
      .refine((name) => !/[\u0000-\u001F\u007F-\u009F]/.test(name), 'A name has no control characters.'),
  })
  .meta({ id: 'ClusterName' });
export type ClusterName = z.infer<typeof ClusterName>;
