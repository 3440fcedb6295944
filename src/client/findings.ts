import type { Cluster, ClusterLanguage, ClusterPage, Clusters } from '../contract/clusters.js';
import type { DuplicateGroup, DuplicateGroupPage, Duplicates } from '../contract/duplicates.js';
import type { Job } from '../contract/jobs.js';
import type { CollectionMap, MapItems, MapPoints, MapValues } from '../contract/map.js';
import { routes } from '../contract/routes.js';
import type { CallParts } from './call.js';
import { Connection } from './connection.js';
import { queryTexts } from './query-texts.js';
import type { Signaled } from './signaled.js';

/** What jobs find out about a collection: near-duplicates, clusters, its map. */
export class Findings extends Connection {
  /** Starts a job that looks for items that are nearly the same. */
  async findDuplicates(name: string, body: CallParts<'findDuplicates'>['body'] = {}, options: Signaled = {}): Promise<Job> {
    return (await this.call('findDuplicates', { params: { name }, body, ...options })).job;
  }

  /** A page of what was found last; a 404 when nobody has looked yet. */
  duplicates(name: string, query: { limit?: number; cursor?: string } = {}, options: Signaled = {}): Promise<Duplicates> {
    return this.call('getDuplicates', { params: { name }, query: queryTexts(query), ...options });
  }

  /** All groups, page after page. */
  async *duplicateGroups(name: string, options: Signaled = {}): AsyncGenerator<DuplicateGroup, void, undefined> {
    for (let cursor: string | undefined; ; ) {
      const page = await this.duplicates(name, cursor === undefined ? {} : { cursor }, options);
      yield* page.groups;
      cursor = page.next_cursor;
      if (cursor === undefined) return;
    }
  }

  /** A page of all items of a group. */
  duplicateGroup(name: string, id: string, query: { limit?: number; cursor?: string } = {}, options: Signaled = {}): Promise<DuplicateGroupPage> {
    return this.call('getDuplicateGroup', { params: { name, id }, query: queryTexts(query), ...options });
  }

  /** Starts a job that puts items that are alike together. */
  async makeClusters(name: string, body: CallParts<'makeClusters'>['body'] = {}, options: Signaled = {}): Promise<Job> {
    return (await this.call('makeClusters', { params: { name }, body, ...options })).job;
  }

  /** Those that were made last; a 404 when there are none. */
  clusters(name: string, { language, ...options }: { language?: ClusterLanguage } & Signaled = {}): Promise<Clusters> {
    return this.call('getClusters', { params: { name }, ...(language && { query: { language } }), ...options });
  }

  /** A cluster with a page of its items. */
  cluster(name: string, id: string, query: { limit?: number; cursor?: string } = {}, options: Signaled = {}): Promise<ClusterPage> {
    return this.call('getCluster', { params: { name, id }, query: queryTexts(query), ...options });
  }

  renameCluster(collection: string, id: string, name: string, options: Signaled = {}): Promise<Cluster> {
    return this.call('renameCluster', { params: { name: collection, id }, body: { name }, ...options });
  }

  /** Starts a job that lays all items out on a plane; `{place: true}`: that places those that came since on the map that is there. */
  async makeMap(name: string, body: CallParts<'makeMap'>['body'] = {}, options: Signaled = {}): Promise<Job> {
    return (await this.call('makeMap', { params: { name }, body, ...options })).job;
  }

  /** The one that was made last; a 404 when there is none. */
  map(name: string, options: Signaled = {}): Promise<CollectionMap> {
    return this.call('getMap', { params: { name }, ...options });
  }

  /** Where points lie: x0, y0, x1, ... by number, -1..1; NaN where the item has gone. `job`: of the map that is meant, a 404 once there is another. */
  async mapPoints(name: string, query: { from?: number; to?: number; job?: string } = {}, options: Signaled = {}): Promise<Float32Array> {
    return numbersOf(await this.call('mapPoints', { params: { name }, query: queryTexts(query), ...options }));
  }

  mapItems(name: string, query: { from?: number; limit?: number; job?: string } = {}, options: Signaled = {}): Promise<MapPoints> {
    return this.call('listMapItems', { params: { name }, query: queryTexts(query), ...options });
  }

  /** The items of points, whole, by the points' numbers or their own ids. */
  mapItemsOf(name: string, body: CallParts<'getMapItems'>['body'], options: Signaled = {}): Promise<MapItems> {
    return this.call('getMapItems', { params: { name }, body, ...options });
  }

  /** For an `<img>`, where no key is needed. */
  mapSheetUrl(name: string, n: number, job: string): string {
    return this.address(routes.mapSheet, { params: { name, n: String(n) }, query: { job } });
  }

  mapSheet(name: string, n: number, { job, ...options }: { job?: string } & Signaled = {}): Promise<Blob> {
    return this.call('mapSheet', { params: { name, n: String(n) }, query: queryTexts({ job }), ...options });
  }

  /** The cosine of each point with a query, by number; NaN where it has none or does not match. */
  async mapScores(name: string, body: CallParts<'mapScores'>['body'], options: Signaled = {}): Promise<Float32Array> {
    return numbersOf(await this.call('mapScores', { params: { name }, body, ...options }));
  }

  /** A field of all points; `values` are told as the contract has them. */
  mapValues(name: string, field: string, { job, language, ...options }: { job?: string; language?: ClusterLanguage } & Signaled = {}): Promise<MapValues> {
    return this.call('mapValues', { params: { name }, query: { field, ...queryTexts({ job }), ...(language && { language }) }, ...options });
  }
}

const numbersOf = async (blob: Blob): Promise<Float32Array> => new Float32Array(await blob.arrayBuffer());
