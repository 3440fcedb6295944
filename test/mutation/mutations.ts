import { foundByReview } from './found-by-review.js';
import type { Mutation } from './mutation.js';
import { ofDoors } from './of-attacks.js';
import { ofHttp } from './of-http.js';
import { ofOperations } from './of-operations.js';
import { ofPicture } from './of-picture.js';
import { ofStore } from './of-store.js';

export const mutations: Mutation[] = [...foundByReview, ...ofOperations, ...ofStore, ...ofPicture, ...ofHttp, ...ofDoors];
