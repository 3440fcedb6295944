import { MixspaceError } from '../errors.js';

/** A model on a hub. */
export interface HubReference {
  /** `owner/name`, or `name` alone as the oldest models have it. */
  id: string;
  /** A branch, tag or commit. */
  revision: string;
}

const idPart = '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_-])?';
const hubId = new RegExp(`^${idPart}(?:/${idPart})?$`);
const modelName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;

/** `ID` or `ID@REVISION`; `main` where none is named. @throws MixspaceError `invalid_request`. */
export function parseReference(text: string): HubReference {
  const at = text.indexOf('@');
  const id = at < 0 ? text : text.slice(0, at);
  const revision = at < 0 ? 'main' : text.slice(at + 1);
  if (!hubId.test(id) || id.includes('..') || id.includes('--')) {
    throw new MixspaceError('invalid_request', `A model on the hub is named like Xenova/clip-vit-base-patch32 or Xenova/clip-vit-base-patch32@main, not "${text}".`, { param: 'ID' });
  }
  if (!/^[\w][\w./-]{0,199}$/.test(revision) || revision.includes('..')) throw new MixspaceError('invalid_request', `A revision is a branch, a tag or a commit, not "${revision}".`, { param: 'ID' });
  return { id, revision };
}

/** The name of a model's folder, which is its id in the service. @throws MixspaceError `invalid_request`: no name may lead out of the models directory or hide in it. */
export function requireModelName(name: string, param: string): string {
  if (!modelName.test(name)) throw new MixspaceError('invalid_request', `${param}: a model's name is up to 96 letters, digits, dots, dashes and underscores, and begins with a letter or digit; "${name}" does not.`, { param });
  return name;
}

/** A folder inside a repository, `a/b`. @throws MixspaceError `invalid_request`. */
export function requireHubFolder(folder: string): string {
  const parts = folder.replace(/\/+$/, '').split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\\'))) {
    throw new MixspaceError('invalid_request', `--folder names a folder inside the model's files, such as ViT-B-32, not "${folder}".`, { param: '--folder' });
  }
  return parts.join('/');
}

/** The last part of the folder, or of the hub's name. */
export function nameOf(id: string, folder?: string): string {
  return (folder ?? id).split('/').at(-1)!;
}
