import { Argument, Command, Option } from 'commander';
import { jobKinds, type Job, type JobFailure } from '../contract/jobs.js';
import { jobStates } from '../domain/job.js';
import { MixspaceError } from '../errors.js';
import { openClient } from './open-client.js';
import { clientCommand, wholeNumber, type ClientFlags } from './options.js';
import { plural, printJson, printTable, say, sayAside } from './print.js';
import { startProgress } from './progress.js';

const stoppedByUser = 130;
const shownFailures = 10;

interface ListFlags extends ClientFlags {
  collection?: string;
  kind?: (typeof jobKinds)[number];
  state?: (typeof jobStates)[number];
  limit: number;
}

export function jobsCommand(): Command {
  return new Command('jobs')
    .description('list, show, follow, pause, resume or cancel long work of the service')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(of('show', 'how far a job is, and what it could not do').action(async (id: string, flags: ClientFlags) => show(id, flags)))
    .addCommand(
      of('follow', 'show how far a job gets until it has ended; it works on when this command is stopped')
        .addHelpText('after', '\nExit code: 0 done, 1 failed or cancelled, 2 wrong usage or no service, 130 stopped by Ctrl-C.')
        .action(async (id: string, flags: ClientFlags) => follow(id, flags)),
    )
    .addCommand(of('pause', 'stop a job for now').action(async (id: string, flags: ClientFlags) => tell(await openClient(flags).pauseJob(id), flags)))
    .addCommand(of('resume', 'let a job that was paused, or has failed, go on').action(async (id: string, flags: ClientFlags) => tell(await openClient(flags).resumeJob(id), flags)))
    .addCommand(of('cancel', 'end a job, and throw away what it kept to go on').action(async (id: string, flags: ClientFlags) => tell(await openClient(flags).cancelJob(id), flags)));
}

function of(name: string, description: string): Command {
  return clientCommand(name, description).addArgument(new Argument('<id>', 'the job, as `mixspace jobs` lists it'));
}

function listCommand(): Command {
  return clientCommand('list', 'what waits, runs, was paused, and the latest that has ended; the newest first')
    .option('--collection <name>', 'only those of a collection')
    .addOption(new Option('--kind <kind>', 'only those of a kind').choices(jobKinds))
    .addOption(new Option('--state <state>', 'only those in a state').choices(jobStates))
    .addOption(new Option('--limit <count>', 'at most so many').argParser(wholeNumber).default(20))
    .action(async (flags: ListFlags) => {
      const { collection, kind, state, limit } = flags;
      const list = await openClient(flags).jobs({ limit: String(limit), ...(collection === undefined ? {} : { collection }), ...(kind === undefined ? {} : { kind }), ...(state === undefined ? {} : { state }) });
      if (flags.json) return printJson(list);
      printTable(list.jobs.map((job) => [job.id, job.collection ?? '', job.state, howFar(job), job.problem ?? '']));
      if (list.jobs.length === 0) say('There are none.');
      if (list.next_cursor !== undefined) sayAside('There are more: --limit shows them.');
    });
}

async function show(id: string, flags: ClientFlags): Promise<void> {
  const client = openClient(flags);
  const job = await client.job(id);
  const { failures } = await client.jobFailures(id, { limit: String(shownFailures) });
  if (flags.json) return printJson({ job, failures });
  tell(job, flags);
  if (job.result !== undefined) say(`  ${Object.entries(job.result).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ')}`);
  for (const failure of failures) say(`  ${failureSentence(failure)}`);
  if (job.failed > failures.length) say(`  and ${job.failed - failures.length} more`);
}

/** Until it has ended; `isSilent`: how it has ended is not told. @throws MixspaceError `unprocessable`: it failed or was cancelled. */
export async function follow(id: string, flags: ClientFlags, { isSilent = false }: { isSilent?: boolean } = {}): Promise<void> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  process.once('SIGINT', leave);
  const progress = startProgress('done');
  let last: Job | undefined;
  try {
    for await (const { type, job } of openClient(flags).followJob(id, { signal: leaving.signal })) {
      if (type === 'failure' && !flags.json) sayAside(failureSentence(job.failure!));
      if (last?.state !== job.state && job.state !== 'running' && type !== 'end') sayAside(`The job is ${job.state}.`);
      last = job;
      if (job.total !== undefined) progress.at(job.done + job.failed, job.total);
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  } finally {
    progress.end();
    process.off('SIGINT', leave);
  }
  if (leaving.signal.aborted) process.exitCode = stoppedByUser;
  if (!last) return;
  if (!isSilent) tell(last, flags);
  if (last.state === 'failed' || last.state === 'cancelled') throw new MixspaceError('unprocessable', last.problem ?? `The job is ${last.state}.`);
}

function tell(job: Job, { json }: ClientFlags): void {
  if (json) return printJson(job);
  say(`${job.id}${job.collection === undefined ? '' : ` (${job.collection})`}: ${job.state}, ${howFar(job)}${job.problem === null ? '' : `. ${job.problem}`}`);
}

function howFar({ done, total, failed, seconds_left: left }: Job): string {
  return `${done}${total === undefined ? '' : ` of ${total}`} done${failed > 0 ? `, ${failed} failed` : ''}${left === undefined ? '' : `, ${plural(left, 'second')} left`}`;
}

const failureSentence = ({ id, file, reason }: JobFailure): string => `${id ?? file}: ${reason}`;
