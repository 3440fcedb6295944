/** What a user says of an item: any JSON object. */
export type Metadata = Record<string, unknown>;
