/** Arguments that several tools take, told the same way in each. */
import { z } from 'zod';
import { modalities } from '../domain/modality.js';
import { limits } from '../contract/limits.js';

/** Characters; beyond it a model has sent something else than a query. */
const longestText = 10_000;
/** Of base64: a picture may have 50 MB by default. */
const longestPicture = 70_000_000;

export const collection = z.string().min(1).max(limits.nameLength).default('default').describe('Name of the collection; list_collections tells which there are.');
export const itemId = z.string().min(1).max(limits.idBytes);
export const text = z.string().min(1).max(longestText);
export const picture = z.string().min(1).max(longestPicture).describe('A picture: an https URL, a data URI, or base64.');
export const modality = z.enum(modalities).describe('Only items of this kind.');
export const filter = z
  .looseObject({})
  .describe('Conditions on metadata, all of which hold: {"year": 2024, "tags": {"$in": ["a", "b"]}, "size": {"$gte": 10}}. Operators: $eq $ne $gt $gte $lt $lte $in $nin $exists $prefix, and $and $or $not around filters. $item.taken_at, $item.created_at, $item.modality, $item.source and $item.width are the item\'s own. describe_collection tells the fields and their values.');
export const cursor = z.string().max(limits.cursorLength).describe('`next_cursor` of the answer before, with all other arguments as they were.');

export const page = (most: number, usual: number, of: string) => z.number().int().min(1).max(most).default(usual).describe(`${of} at most.`);
