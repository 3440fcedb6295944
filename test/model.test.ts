import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareInputs, type Inputs } from './model/inputs.js';
import { runSeed } from './model/seed.js';

let inputs: Inputs;
beforeAll(async () => {
  inputs = await prepareInputs();
});
afterAll(() => inputs.remove());

// `npm run model` runs 100 of them; `npm run model -- --seed 17` one again.
describe('Operations drawn by a seed, SIGKILLs and restarts among them', () => {
  it.each([
    { seed: 1, profile: 'graphs' },
    { seed: 2, profile: 'memory' },
    { seed: 3, profile: 'small' },
  ])('are answered as a model in memory answers them: seed $seed ($profile)', { timeout: 600_000 }, async ({ seed, profile }) => {
    const { divergence, searches, restarts } = await runSeed({ seed, profile, steps: 2_000, inputs });
    expect(divergence).toBeUndefined();
    expect([searches, restarts].every((count) => count > 0)).toBe(true);
  });
});
