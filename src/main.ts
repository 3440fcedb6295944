#!/usr/bin/env node
import { beginAnewWithHeapSettings } from './cli/begin-anew.js';

const args = process.argv.slice(2);
if (args[0] === 'serve') beginAnewWithHeapSettings();

// Only now: a process that begins anew has loaded little.
const { run } = await import('./cli/program.js');
await run(args);
