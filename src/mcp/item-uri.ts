/** `mixspace://collection/NAME/item/ID`, both parts percent-encoded. */
export const itemTemplate = 'mixspace://collection/{name}/item/{id}';

export interface ItemAddress {
  collection: string;
  id: string;
}

export const uriOf = ({ collection, id }: ItemAddress): string => `mixspace://collection/${encodeURIComponent(collection)}/item/${encodeURIComponent(id)}`;

/** @returns undefined for what is no such address. */
export function addressOf(uri: string): ItemAddress | undefined {
  const [, name, id] = /^mixspace:\/\/collection\/([^/?#]+)\/item\/([^/?#]+)$/.exec(uri) ?? [];
  if (name === undefined || id === undefined) return undefined;
  try {
    return { collection: decodeURIComponent(name), id: decodeURIComponent(id) };
  } catch {
    return undefined;
  }
}
