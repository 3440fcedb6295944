/** The thread that finds clusters. */
import type { ClusterLanguage } from '../../contract/clusters.js';
import { answerCalls } from '../compute-thread.js';
import { namesFor, type Naming } from './naming.js';
import { assign, centered, clusterCenters, countOf, meanOf, merged, randomFrom, type Assignment, type Rows } from './spherical-k-means.js';

export interface Model {
  /** Of all, before they are centered. */
  mean: Float32Array;
  centers: Rows;
}

const seed = 17;
/** Where nobody says how many: centers of this cosine or more become one. */
const nearest = 0.7;

const methods = {
  /** `count`: left out, about the root of half of `all`, fewer where they lie near to each other. */
  find: ({ sample, all, count, most }: { sample: Rows; all: number; count?: number; most: number }): Model => {
    const mean = meanOf(sample);
    const rows = centered(sample, mean);
    const wanted = Math.min(count ?? Math.min(most, Math.max(2, Math.round(Math.sqrt(all / 2)))), countOf(rows));
    const centers = clusterCenters(rows, wanted, randomFrom(seed));
    return { mean, centers: count === undefined ? merged(rows, centers, nearest) : centers };
  },
  /** See `namesFor`. */
  names: ({ centers, words, language, given }: { centers: Rows; words: Rows; language: ClusterLanguage; given: Map<number, string> }): Naming[] => namesFor(centers, words, language, given),
  assign: ({ rows, model }: { rows: Rows; model: Model }): Assignment => assign(centered(rows, model.mean), model.centers),
};
export type ClusterMethods = typeof methods;

void answerCalls(methods);
