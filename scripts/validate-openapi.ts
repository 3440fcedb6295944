/**
 * Validates openapi.json by three tools of others: redocly and spectral by npx, openapi-spec-validator in a Python environment
 * of its own. A warning fails as an error does. Needs the registries of npm and, unless `--npm` is given, of Python.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const document = path.resolve(import.meta.dirname, '../openapi.json');
const folder = mkdtempSync(path.join(tmpdir(), 'mixspace-openapi-'));
const run = (command: string, args: string[]): string => spawnSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
const says = (tool: string, warnings: unknown[]): void => {
  console.log(`${tool}: ${warnings.length} warnings and errors`);
  for (const warning of warnings) console.log(JSON.stringify(warning));
  if (warnings.length > 0) process.exitCode = 1;
};

try {
  const redocly = JSON.parse(run('npx', ['--yes', '@redocly/cli@2.77.0', 'lint', document, '--format=json'])) as { problems: unknown[] };
  says('redocly', redocly.problems);
  const ruleset = path.join(folder, 'spectral.yaml');
  writeFileSync(ruleset, "extends: ['spectral:oas']\n");
  says('spectral', JSON.parse(run('npx', ['--yes', '--package', '@stoplight/spectral-cli@6.16.3', 'spectral', 'lint', document, '--ruleset', ruleset, '--format', 'json', '--quiet'])) as unknown[]);
  if (!process.argv.includes('--npm')) {
    run('python3', ['-m', 'venv', 'python']);
    run('python/bin/pip', ['--quiet', 'install', 'openapi-spec-validator==0.9.0']);
    const told = run('python/bin/openapi-spec-validator', [document]).trim();
    says('openapi-spec-validator', told === `${document}: OK` ? [] : [told]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
