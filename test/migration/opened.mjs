const [checkout, directory, carriedAtOnce] = process.argv.slice(2);
const { openEmbeddedStore } = await import(`${checkout}/dist/store/embedded/open.js`);
const log = (level, message) => message.includes('carried over') && process.stdout.write('carrying\n');
const store = await openEmbeddedStore({ directory, settings: { carriedAtOnce: Number(carriedAtOnce) }, log });
process.stdout.write('opened\n');
await store.close();
