import { openService, type MixspaceService, type Settings } from 'mixspace';

const settings: Settings = { indexDir: './embedded-index', roots: ['/photos'], maxBody: '1GB', hub: true };
// @ts-expect-error no such setting
export const wrong: Settings = { maxBodies: 1 };
const service: MixspaceService = await openService(settings);
const { matches } = await service.client.search('default', 'a cat', { limit: 3, cutoff: 'auto' });
export const ids: string[] = matches.map(({ id }) => id);
const address: string = await service.listen();
console.log(address);
await service.close();
