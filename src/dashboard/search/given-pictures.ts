/** Pictures that were searched by, so that an address can name them. */
export interface GivenPicture {
  picture: Blob;
  name: string;
}

const given = new Map<string, GivenPicture>();

/** What the address says of it. */
export function keepPicture(picture: Blob, name: string): string {
  const key = crypto.randomUUID();
  given.set(key, { picture, name });
  return key;
}

export const pictureOf = (key: string): GivenPicture | undefined => given.get(key);
