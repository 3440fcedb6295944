/** Embeds the installed service: five lines to a search, and what they found. */
import { openService } from 'mixspace';

const service = await openService({ indexDir: './embedded-index' });
await service.client.addItems('default', [{ id: 'cat', text: 'a cat' }, { id: 'ship', text: 'a ship on the sea' }]);
const { matches } = await service.client.search('default', 'a kitten');
await service.close();
console.log(matches.map(({ id }) => id).join());
