import path from 'node:path';
import type { Command } from 'commander';
import { readHubSettings, readSetting } from '../../config.js';
import type { PullPlan } from '../../hub/plan.js';
import { MixspaceError } from '../../errors.js';
import { openClient } from '../open-client.js';
import { plural, printJson, say, sayAside, sizeOf } from '../print.js';
import { startTransfer } from '../transfer-progress.js';
import { confirm, offlineCommand, stoppable, yesOption, type OfflineFlags } from './options.js';

interface PullFlags extends OfflineFlags {
  url?: string;
  as?: string;
  variant?: string;
  folder?: string;
  acceptLicense?: true;
}

export function pullCommand(): Command {
  return offlineCommand('pull', 'download a model from the Hugging Face hub into the models directory; run again, it goes on where it was cut')
    .argument('<id>', 'the model on the hub, such as Xenova/clip-vit-base-patch32, with @REVISION for a branch, tag or commit')
    .option('--variant <name>', 'fp32, fp16, q8, q4, q4f16 or bnb4; several with commas, the first is used (default: fp32)')
    .option('--as <name>', "the model's name here (default: the last part of the hub's name)")
    .option('--folder <path>', 'where the model lies, in a repository that holds several')
    .option('--accept-license', 'agree to a license that restricts use')
    .option('--url <url>', 'let the service there pull it into its own models directory, as a job; it must run with MIXSPACE_HUB=yes, and MIXSPACE_API_KEY holds its key')
    .addOption(yesOption())
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', help)
    .action(pull);
}

const help = `
Each file is checked against the hub's hash; the model appears when all have come, and works without a network from then on.

  mixspace models pull Xenova/clip-vit-base-patch32 --variant q8
  mixspace models pull yurijmikhalevich/rclip-models --folder ViT-B-32-256-datacomp_s34b_b86k --as datacomp

Environment: HF_ENDPOINT (another hub or a mirror), HF_TOKEN (for gated and private models), HTTPS_PROXY, HTTP_PROXY, NO_PROXY.
Exit code: 0 the model is there, 1 refused or failed, 2 wrong usage or no hub, 130 stopped by Ctrl-C.`;

async function pull(text: string, flags: PullFlags): Promise<void> {
  if (flags.url !== undefined) return pullByService(text, { ...flags, url: flags.url });
  // Loaded by who asks for it: the client of the hub is large.
  const [{ parseReference, nameOf, requireHubFolder, requireModelName }, { parseVariants }, { HubClient }, { alone, sweep }] = await Promise.all([
    import('../../hub/names.js'),
    import('../../hub/select-files.js'),
    import('../../hub/hub-client.js'),
    import('../../hub/models-folder.js'),
  ]);
  const reference = parseReference(text);
  const folder = flags.folder === undefined ? undefined : requireHubFolder(flags.folder);
  const name = requireModelName(flags.as ?? nameOf(reference.id, folder), flags.as === undefined ? 'The name here, which --as sets' : '--as');
  const variants = flags.variant === undefined ? undefined : parseVariants(flags.variant);
  const modelsDir = readSetting('modelsDir', flags.modelsDir);
  const access = readHubSettings();
  const done = await stoppable(async (signal) => {
    let tell = sayAside;
    const hub = new HubClient(access, signal, (sentence) => tell(sentence));
    try {
      await alone(modelsDir, name, async (places) => {
        await sweep(modelsDir);
        const { planPull } = await import('../../hub/plan.js');
        const plan = await planPull(hub, places, { reference, name, ...(variants ? { variants } : {}), ...(folder === undefined ? {} : { folder }) });
        if (plan.isComplete) return tellComplete(plan, places.directory, flags);
        if (!(await agreed(plan, flags))) {
          sayAside('Nothing was downloaded.');
          process.exitCode = 1;
          return;
        }
        const { carryOut } = await import('../../hub/pull.js');
        const there = new Map(plan.files.map((file) => [file, file.here ? file.size : file.begun]));
        let total = plan.bytes - plan.bytesToCome;
        const progress = startTransfer(plan.bytes, total);
        tell = progress.say;
        const lock = await carryOut(hub, places, plan, {
          at(file, bytes) {
            total += bytes - there.get(file)!;
            there.set(file, bytes);
            progress.at(total);
          },
          came: ({ target, size }) => progress.came(target, size),
        }).finally(() => progress.end());
        if (flags.json) printJson({ name, status: 'pulled', directory: places.directory, ...lock });
        else tellPulled(plan, places.directory);
      });
    } finally {
      await hub.close();
    }
  });
  if (done === 'stopped') sayAside('Stopped; what came is kept. Run the same command again to go on.');
}

/** It works on when this command is stopped. */
async function pullByService(id: string, { url, variant, folder, as, acceptLicense, yes, json }: PullFlags & { url: string }): Promise<void> {
  const client = openClient({ url });
  const wanted = { id, ...(variant === undefined ? {} : { variant: variant.split(',').map((name) => name.trim()) }), ...(folder === undefined ? {} : { folder }), ...(as === undefined ? {} : { as }) };
  const { plan } = await client.pullModel({ ...wanted, dry_run: true });
  sayAside(`${plan.id} at commit ${plan.commit.slice(0, 12)}, ${plan.variants.join(' and ')}: ${plural(plan.files, 'file')}, ${sizeOf(plan.bytes)}, ${sizeOf(plan.bytes_to_come)} of them to come, as the model ${plan.name} of ${url}.`);
  sayAside(plan.license_text);
  const replaces = plan.changes_embeddings || plan.mended.length > 0;
  if (plan.changes_embeddings) sayAside(`Its embeddings will be others than those of the present ${plan.name}: collections made with it have to be embedded again.`);
  const isAgreed = plan.complete || yes || ((!plan.must_be_accepted || acceptLicense) && !replaces) || (await confirm('Go on?', replaces ? '--yes' : '--accept-license (or --yes)'));
  if (!isAgreed) {
    sayAside('Nothing was downloaded.');
    process.exitCode = 1;
    return;
  }
  const { job } = await client.pullModel({ ...wanted, accept_license: true, replace: replaces });
  if (job) {
    const progress = startTransfer(plan.bytes, plan.bytes - plan.bytes_to_come);
    let last = job;
    try {
      for await (const event of client.followJob(job.id)) {
        last = event.job;
        progress.at(last.done);
      }
    } finally {
      progress.end();
    }
    if (last.state !== 'done') throw new MixspaceError('unprocessable', last.problem ?? `Job ${job.id} is ${last.state}.`);
  }
  if (json) printJson({ status: job ? 'pulled' : 'complete', ...plan });
  else say(job ? `${plan.name} is there, ${sizeOf(plan.bytes)}.` : `${plan.name} is complete. Nothing to do.`);
}

/** Shows what is to come and what it is under, and asks where the user must decide. */
async function agreed(plan: PullPlan, flags: PullFlags): Promise<boolean> {
  const { mustBeAccepted, shortLicense, tellLicense } = await import('../../hub/license.js');
  const { model, name, variants, files, bytes, bytesToCome, before, license } = plan;
  const rest = bytesToCome === bytes ? '' : `, ${sizeOf(bytesToCome)} of them to come`;
  sayAside(`${model.id} at commit ${model.commit.slice(0, 12)} (${model.revision}), ${variants.join(' and ')}: ${plural(files.length, 'file')}, ${sizeOf(bytes)}${rest}, as the model ${name}.`);
  if (license.id !== undefined && model.license.id !== license.id) sayAside("The hub names no such license; this one is its authors'.");
  sayAside(tellLicense(license, model.page));
  const needsLicense = mustBeAccepted(license) && (before === undefined || before.license !== (shortLicense(license) ?? null));
  if (plan.changesEmbeddings) sayAside(`${name} is at commit ${before!.commit.slice(0, 12)} here. Its embeddings will be others: collections made with it have to be embedded again, or keep the old one and take --as for this one.`);
  if (plan.mended.length > 0) sayAside(`Not as they were pulled, and to be replaced: ${plan.mended.join(', ')}.`);
  const needsYes = plan.changesEmbeddings || plan.mended.length > 0;
  if (flags.yes || ((!needsLicense || flags.acceptLicense) && !needsYes)) return true;
  return confirm('Go on?', needsYes ? '--yes' : '--accept-license (or --yes)');
}

function tellComplete({ name, model, variants, bytes }: PullPlan, directory: string, flags: PullFlags): void {
  if (flags.json) printJson({ name, status: 'complete', directory, id: model.id, commit: model.commit, variants });
  else say(`${name} is complete: ${model.id} at commit ${model.commit.slice(0, 12)}, ${variants.join(' and ')}, ${sizeOf(bytes)}, every hash as on the hub. Nothing to do.`);
}

function tellPulled({ name, variants, variant, before, missing, files, bytes }: PullPlan, directory: string): void {
  say(`${name} is there, ${sizeOf(bytes)}, every file as on the hub: ${directory}`);
  if (missing.length > 0) say(`Its repository has no ${missing.join(', ')}: the service reads it only where a model.json beside its files says what they would.`);
  if (files.some(({ target }) => target === 'model.json') && variant !== undefined) say(`It brought its own ${path.join(name, 'model.json')}; where that names a variant, this one is used.`);
  else if (before && variant !== before.variant && variants.length > 1) say(`The service uses ${variant} of it from now on; collections made with another variant have to be embedded again.`);
  if (before) say('A running service takes the new files when it is next asked for its models (mixspace models list), once they have passed its check.');
  else say(`A running service takes it when a request names it: "model": "${name}".`);
}
