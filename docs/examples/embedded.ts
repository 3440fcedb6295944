import { openService } from 'mixspace';

const service = await openService({ indexDir: './index' });
await service.client.addItems('default', [{ id: 'cat', text: 'a cat' }]);
const { matches } = await service.client.search('default', 'a kitten');
console.log(matches[0]?.id);
await service.close();
