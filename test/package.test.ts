/** What an install of the package rests on; test/clients/install packs and installs it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { repository } from './server.js';

it('An install runs no script that asks another host than the registry', async () => {
  const lock = JSON.parse(await readFile(path.join(repository, 'package-lock.json'), 'utf8')) as { packages: Record<string, { hasInstallScript?: boolean }> };
  // npm runs the scripts of a package only where the lock file says that it has any.
  expect(lock.packages['node_modules/onnxruntime-node']!.hasInstallScript, 'take "hasInstallScript" away from onnxruntime-node: its script downloads CUDA libraries').toBeUndefined();
  const manifest = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8'));
  expect(manifest.bundleDependencies).toContain('onnxruntime-node');
});
