import { LiveMaps } from './live-map.js';
import { MapScores } from './scores.js';
import { Sheets } from './sheets.js';

/** What the service keeps of maps in memory. */
export class Maps {
  readonly live = new LiveMaps();
  readonly sheets = new Sheets();
  readonly scores = new MapScores();

  close(): Promise<void> {
    return this.scores.close();
  }
}
