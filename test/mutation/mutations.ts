import { foundByReview } from './found-by-review.js';
import type { Mutation } from './mutation.js';

export const mutations: Mutation[] = [...foundByReview];
