import { describe, expect, it } from 'vitest';
import { faultsOf, mutations } from './mutation/mutations.js';

describe('The mutations by which the tests are tried', () => {
  it('each stand in the source once', async () => {
    expect(await faultsOf(mutations)).toEqual([]);
  });
});
