/**
 * The matches of a search as pictures, for hosts that show MCP Apps (specification of 2026-01-26): one page that loads
 * nothing, speaks to its host alone, and shows what it is told as text, whatever that is.
 */
export const galleryUri = 'ui://mixspace/gallery';
export const galleryType = 'text/html;profile=mcp-app';

const style = `
:root { color-scheme: light dark; }
body { margin: 0; padding: 8px; font: 14px/1.4 var(--font-sans, system-ui, sans-serif); color: var(--color-text-primary, CanvasText); background: transparent; }
#status { margin: 0 0 8px; color: var(--color-text-secondary, GrayText); }
ul { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 8px; }
li button { all: unset; box-sizing: border-box; width: 100%; cursor: pointer; display: block; border: 1px solid var(--color-border-primary, GrayText); border-radius: var(--border-radius-md, 8px); overflow: hidden; }
li button:focus-visible, #like:focus-visible { outline: 2px solid var(--color-ring-primary, Highlight); outline-offset: 2px; }
li img, li .words { display: block; width: 100%; height: 120px; object-fit: cover; }
li .words { box-sizing: border-box; padding: 6px; overflow: hidden; overflow-wrap: anywhere; }
li .caption { display: block; padding: 4px 6px; font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
#details { margin-top: 12px; padding-top: 8px; border-top: 1px solid var(--color-border-primary, GrayText); }
#details img { max-width: 100%; max-height: 60vh; border-radius: var(--border-radius-md, 8px); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 8px 0; }
dt { color: var(--color-text-secondary, GrayText); }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
`;

const script = String.raw`
'use strict';
(() => {
  const at = (id) => document.getElementById(id);
  const waiting = new Map();
  let last = 0;
  let collection = 'default';
  let callsTools = false;

  const send = (message) => window.parent.postMessage({ jsonrpc: '2.0', ...message }, '*');
  const request = (method, params) => new Promise((resolve, reject) => {
    last += 1;
    waiting.set(last, { resolve, reject });
    send({ id: last, method, params });
  });
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const list = (value) => (Array.isArray(value) ? value : []);
  const words = (value) => (typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value));

  /** A picture of the answer; whatever else it may be is not shown. */
  const sourceOf = (block) => {
    const isPicture = block && block.type === 'image' && /^image\/(webp|png|jpeg|gif)$/.test(block.mimeType) && /^[A-Za-z0-9+/]+=*$/.test(block.data);
    return isPicture ? 'data:' + block.mimeType + ';base64,' + block.data : undefined;
  };

  const facts = (match) => {
    const rows = [['id', match.id], ['source', list(match.sources).map(words).join('\n')], ['taken', match.taken_at], ['size', match.width === undefined ? undefined : match.width + ' x ' + match.height], ['relevance', typeof match.relevance === 'number' ? match.relevance.toFixed(2) : undefined]];
    for (const [key, value] of Object.entries(match.metadata ?? {})) rows.push([key, value]);
    return make('dl', {}, ...rows.filter(([, value]) => value !== undefined && value !== '').flatMap(([name, value]) => [make('dt', { textContent: name }), make('dd', { textContent: words(value) })]));
  };

  const open = async (match, source) => {
    const picture = make('img', { alt: '', hidden: source === undefined });
    if (source !== undefined) picture.src = source;
    const parts = [picture, facts(match)];
    if (typeof match.text === 'string') parts.unshift(make('p', { textContent: match.text }));
    if (callsTools) {
      const like = make('button', { id: 'like', type: 'button', textContent: 'More like this' });
      like.addEventListener('click', () => callTool('search_items', { collection, id: match.id, limit: 12, thumbnails: 12, cutoff: 'none' }).then(show, tell));
      parts.push(like);
    }
    at('details').replaceChildren(...parts);
    if (!callsTools || match.modality !== 'image') return;
    const whole = await callTool('get_item', { collection, id: match.id, picture: 'original' });
    const better = list(whole.content).map(sourceOf).find((each) => each !== undefined);
    if (better !== undefined && picture.isConnected) {
      picture.src = better;
      picture.hidden = false;
    }
  };

  const card = (match, source) => {
    const picture = source === undefined ? make('span', { className: 'words', textContent: words(match.text) || words(list(match.sources)[0]) || match.id }) : make('img', { src: source, alt: '' });
    const name = words(list(match.sources)[0]).split(/[/\\]/).pop() || words(match.text) || match.id;
    const button = make('button', { type: 'button', title: match.id }, picture, make('span', { className: 'caption', textContent: name }));
    button.addEventListener('click', () => open(match, source).catch(tell));
    return make('li', {}, button);
  };

  const show = (result) => {
    const matches = list(result && result.structuredContent && result.structuredContent.matches).filter((match) => match && typeof match.id === 'string');
    const sources = new Map(list(result && result.content).map((block) => [block && block._meta && block._meta['mixspace/id'], sourceOf(block)]));
    const said = list(result && result.content).find((block) => block && block.type === 'text');
    const isError = Boolean(result && result.isError);
    at('status').textContent = isError || matches.length === 0 ? words(said && said.text) : matches.length + (matches.length === 1 ? ' match' : ' matches') + ' in ' + collection;
    at('matches').replaceChildren(...(isError ? [] : matches.map((match) => card(match, sources.get(match.id)))));
    at('details').replaceChildren();
  };
  const tell = (error) => { at('status').textContent = words(error && error.message); };
  const callTool = async (name, args) => {
    const result = await request('tools/call', { name, arguments: args });
    if (result && result.isError) throw new Error(words((list(result.content)[0] || {}).text));
    return result;
  };

  const dress = (context) => {
    if (context && (context.theme === 'light' || context.theme === 'dark')) document.documentElement.style.colorScheme = context.theme;
    for (const [name, value] of Object.entries((context && context.styles && context.styles.variables) || {})) {
      if (/^--[a-z0-9-]+$/.test(name) && typeof value === 'string' && !/url\(/i.test(value)) document.documentElement.style.setProperty(name, value);
    }
  };
  const heard = {
    'ui/notifications/tool-input': ({ arguments: args }) => { if (args && typeof args.collection === 'string') collection = args.collection; },
    'ui/notifications/tool-result': show,
    'ui/notifications/tool-cancelled': () => tell({ message: 'The search was stopped.' }),
    'ui/notifications/host-context-changed': dress,
  };

  window.addEventListener('message', ({ source, data }) => {
    if (source !== window.parent || !data || data.jsonrpc !== '2.0') return;
    if (data.method === undefined) {
      const asked = waiting.get(data.id);
      waiting.delete(data.id);
      if (asked) data.error ? asked.reject(new Error(words(data.error.message))) : asked.resolve(data.result);
    } else if (data.id !== undefined) {
      const isKnown = data.method === 'ui/resource-teardown' || data.method === 'ping';
      send({ id: data.id, ...(isKnown ? { result: {} } : { error: { code: -32601, message: 'Method not found' } }) });
    } else if (Object.hasOwn(heard, data.method)) heard[data.method](data.params || {});
  });

  new ResizeObserver(() => send({ method: 'ui/notifications/size-changed', params: { width: document.documentElement.scrollWidth, height: Math.ceil(document.body.getBoundingClientRect().height) } })).observe(document.body);
  request('ui/initialize', { protocolVersion: '2026-01-26', appInfo: { name: 'mixspace gallery', version: '1' }, appCapabilities: {} }).then((host) => {
    callsTools = Boolean(host && host.hostCapabilities && host.hostCapabilities.serverTools);
    dress(host && host.hostContext);
    send({ method: 'ui/notifications/initialized', params: {} });
  }, tell);
})();
`;

export const gallery = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mixspace gallery</title>
<style>${style}</style>
</head>
<body>
<p id="status" role="status">Searching…</p>
<ul id="matches"></ul>
<section id="details" aria-live="polite"></section>
<script>${script}</script>
</body>
</html>
`;
