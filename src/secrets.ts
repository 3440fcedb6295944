/** What lets its reader in, taken out of texts that are stored, answered or printed. */

/** Names of parameters that hold a secret or a signature, in lower case without `-`, `_` and `.`. */
const secretName = /token|secret|passw|pwd|signature|credential|apikey|accesskey|keypair|authkey|authorization|session|jwt|^(key|auth|oauth|pass|pin|otp|sig|sign|sid|hmac|policy|hdne[at]s?|hdntl|gda)$|^x(amz|goog|oss|cos|obs|bce|tos|ms)/;
/** Those that say what a signature is for, and change with each. */
const beside = /^(expires?|exp|algorithm|s[vtrepiks]|sip|spr|sk[etsv]|skoid|sktid|sdd|saoid|suoid|scid|googleaccessid|(aws|oss)?accesskeyid)$/;

/**
 * The text as it is, but for a URL: without user name and password, and without the parameters of its query and
 * fragment whose names are those of secrets and signatures. What says nothing by its name (a path, `id=...`) stays.
 */
export function withoutSecrets(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.host === '') return text.replace(/^(\s*[a-z][a-z0-9+.-]*:[/\\]{2})[^/\\?#]*@/i, '$1');
  const query = openParameters(url.search);
  const fragment = openParameters(url.hash);
  if (url.username === '' && url.password === '' && query === url.search && fragment === url.hash) return text;
  url.username = '';
  url.password = '';
  url.search = query;
  url.hash = fragment;
  return url.href;
}

/** Of `?a=1&token=x`, `?a=1`. */
function openParameters(text: string): string {
  const [, lead = '', rest = ''] = /^([?#]?)(.*)$/s.exec(text)!;
  const parts = rest.split('&').map((part) => {
    const at = part.indexOf('=');
    const name = decoded(at < 0 ? part : part.slice(0, at)).toLowerCase().replace(/[-_.]/g, '');
    const value = at < 0 ? '' : decoded(part.slice(at + 1));
    return { part, name, isSecret: (at >= 0 && secretName.test(name)) || withoutSecrets(value) !== value };
  });
  if (!parts.some(({ isSecret }) => isSecret)) return text;
  const kept = parts.filter(({ name, isSecret }) => !isSecret && !beside.test(name)).map(({ part }) => part);
  return kept.length === 0 ? '' : lead + kept.join('&');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** An address that was given wrongly, to be named in a message: whatever may be a user name and password before an `@` is left out. */
export function shownAddress(text: string): string {
  const open = withoutSecrets(text);
  const at = open.lastIndexOf('@');
  return at < 0 ? open : `…${open.slice(at)}`;
}
