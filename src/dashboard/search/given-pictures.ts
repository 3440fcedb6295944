/** Pictures that were searched by, so that an address can name them, after a reload too. */
import { newKey } from '../shell/new-key.js';

export interface GivenPicture {
  picture: Blob;
  name: string;
}

/** Of them the newest are kept. */
const mostKept = 24;
const storeName = 'given-pictures';

const given = new Map<string, GivenPicture>();

/** What the address says of it. */
export function keepPicture(picture: Blob, name: string): string {
  const key = newKey();
  given.set(key, { picture, name });
  // Where the browser keeps nothing, the picture lasts as long as the page.
  store(key, { picture, name }).catch(() => {});
  return key;
}

export async function pictureOf(key: string): Promise<GivenPicture | undefined> {
  const known = given.get(key) ?? (await stored(key).catch(() => undefined));
  if (known) given.set(key, known);
  return known;
}

/** As bytes: a blob of a file goes with the file. */
async function store(key: string, { picture, name }: GivenPicture): Promise<void> {
  await write(key, { bytes: await picture.arrayBuffer(), type: picture.type, name, at: Date.now() });
}

interface Stored {
  bytes: ArrayBuffer;
  type: string;
  name: string;
  at: number;
}

async function write(key: string, value: Stored): Promise<void> {
  const database = await opened();
  try {
    const pictures = database.transaction(storeName, 'readwrite').objectStore(storeName);
    await done(pictures.put(value, key));
    const keys = await done(pictures.index('at').getAllKeys());
    await Promise.all(keys.slice(0, -mostKept).map((old) => done(pictures.delete(old))));
  } finally {
    database.close();
  }
}

async function stored(key: string): Promise<GivenPicture | undefined> {
  const database = await opened();
  try {
    const found = (await done(database.transaction(storeName).objectStore(storeName).get(key))) as Stored | undefined;
    return found && { picture: new Blob([found.bytes], { type: found.type }), name: found.name };
  } finally {
    database.close();
  }
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open('mixspace', 1);
  request.onupgradeneeded = () => void request.result.createObjectStore(storeName).createIndex('at', 'at');
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser keeps nothing.'));
  });
}
