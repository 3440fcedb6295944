import path from 'node:path';
import { Command } from 'commander';
import { embedded, readConfig, readSetting, readStoreAddress, settings, type Config, type SettingName } from '../../config.js';
import { MixspaceError } from '../../errors.js';
import { plural, printJson, say, sayMarked } from '../print.js';
import { settingsOf, withSettings } from '../setting-flags.js';
import { lookAtAccess, lookAtPort, whoAnswers } from './address.js';
import { lookAtStore } from './store.js';
import { fail, ok, type Finding } from './finding.js';
import { lookAtIndex, lookAtRoots, lookAtWatch } from './folders.js';
import { lookAtMemory, lookAtOpenFiles, lookAtProcessors } from './machine.js';
import { lookAtLibraries, lookAtNode } from './program.js';

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('look whether a service can run here as it is set up: what is wrong, and how to mend it')
    .argument('[paths...]', 'folders of pictures, as serve takes them')
    .option('--selftest', 'load each model and run its golden vectors, too')
    .option('--json', 'print the outcome as JSON');
  return withSettings(command)
    .addHelpText(
      'after',
      `
It takes what serve takes: put doctor in its place. It changes nothing, and asks nobody but the address the service listens on.

Exit code: 0 nothing keeps the service from running, 1 something does, 2 wrong usage.`,
    )
    .action(async (paths: string[], { selftest, json, ...options }: Record<string, string | true>) => {
      const findings = await examine(paths, settingsOf(options), selftest === true);
      const failed = findings.filter(({ status }) => status === 'fail').length;
      if (failed > 0) process.exitCode = 1;
      if (json) return printJson({ status: failed > 0 ? 'fail' : findings.some(({ status }) => status === 'warn') ? 'warn' : 'ok', checks: findings });
      findings.forEach(tell);
      const warned = findings.filter(({ status }) => status === 'warn').length;
      say(failed > 0 ? `${plural(failed, 'thing')} to mend.` : warned > 0 ? `It can run; ${plural(warned, 'thing')} to look at.` : 'All is well.');
    });
}

const colors = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function tell({ topic, status, found, mend }: Finding): void {
  sayMarked(status.padEnd(4), colors[status], `  ${topic.padEnd(10)}  ${found}`);
  if (mend !== undefined) say(`${' '.repeat(18)}-> ${mend}`);
}

async function examine(paths: string[], flags: Partial<Record<SettingName, string>>, selfTest: boolean): Promise<Finding[]> {
  const { config, findings } = readSettings(flags);
  const roots = [...config.roots, ...paths.map((each) => path.resolve(each))];
  const answering = config.port === 0 ? undefined : await whoAnswers(config);
  const { lookAtModels } = await import('./models.js');
  const models = await lookAtModels(config, selfTest);
  return [
    ...findings,
    ...lookAtNode(),
    ...(await lookAtLibraries(config)),
    ...models.findings,
    ...lookAtMemory(config, models.model, answering?.isMixspace === true),
    lookAtProcessors(config),
    ...lookAtOpenFiles(),
    ...(await lookAtIndex(config.indexDir)),
    ...(await storeFindings(config)),
    await lookAtPort(config, answering),
    ...(await lookAtAccess(config)),
    ...lookAtRoots(roots),
    ...lookAtWatch(config, paths.map((each) => path.resolve(each))),
  ];
}

async function storeFindings(config: Config): Promise<Finding[]> {
  try {
    const address = readStoreAddress(config);
    return address === embedded ? [] : await lookAtStore(address);
  } catch (error) {
    return [wrongSetting(error, 'Let the file hold the address of the database, alone.')];
  }
}

/** What is no setting is told, and its default taken to look at the rest. */
function readSettings(flags: Partial<Record<SettingName, string>>): { config: Config; findings: Finding[] } {
  const findings: Finding[] = [];
  const config: Record<string, unknown> = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    try {
      config[name] = readSetting(name, flags[name]);
    } catch (error) {
      findings.push(wrongSetting(error, 'Change or remove it; mixspace serve --help lists what each takes.'));
      config[name] = settings[name].fallback();
    }
  }
  if (findings.length > 0) return { config: config as Config, findings };
  try {
    readConfig(flags);
    return { config: config as Config, findings: [ok('settings', 'All are known and can be read.')] };
  } catch (error) {
    // Of the address, its own look tells.
    const isOfAddress = error instanceof MixspaceError && error.param === 'HOST';
    return { config: config as Config, findings: isOfAddress ? [] : [wrongSetting(error, 'Correct its name, or take it out of the environment.')] };
  }
}

function wrongSetting(error: unknown, mend: string): Finding {
  if (!(error instanceof MixspaceError)) throw error;
  return fail('settings', error.message, mend);
}
