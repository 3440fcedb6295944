/** The page in a real Chromium, and what it must never cause there. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { isBehindNginx } from './behind-nginx.js';

const executablePath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => file !== undefined && existsSync(file));
/** For `it.runIf`. */
export const withBrowser = executablePath !== undefined || process.env['CI'] !== undefined;
if (!withBrowser) console.warn('\n!!! No Chromium: THE PAGE IS NOT TESTED. Install it (apt-get install chromium), or name it in CHROMIUM_PATH.\n');
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...(isBehindNginx ? ['--ignore-certificate-errors'] : [])];
const screenshots = process.env['MIXSPACE_SCREENSHOTS'];
/** How many times slower the page's own scripts run than they could: what a test takes for granted shows. */
const slower = Number(process.env['MIXSPACE_SLOWER_PAGE'] ?? 1);

let launched: Promise<Browser> | undefined;
/** One for all files that this process runs; it ends with the process. What a page keeps, it keeps in a context of its own. */
async function browser(): Promise<Browser> {
  if (!(await launched)?.isConnected()) launched = chromium.launch({ executablePath: executablePath!, args: flags });
  return launched!;
}

export interface Visit {
  /** A new one for each test. */
  readonly page: Page;
  /** Console errors that this test is about. */
  allow: (expected: RegExp) => void;
  /** Into the folder MIXSPACE_SCREENSHOTS, where that is named. */
  shot: (name: string) => Promise<void>;
}

/** Registers the hooks of a `describe`: each test has a page of its own, and fails on console errors (refusals of the content security policy among them) and requests to hosts other than these. */
export function inBrowser(origins: () => string[], options: { locale?: string } = {}): Visit {
  let page: Page;
  let complaints: string[] = [];
  let expected: RegExp | undefined;

  beforeAll(async () => {
    if (!withBrowser) return;
    if (executablePath === undefined) throw new Error('CI is set, so the page must be tested, but there is no Chromium.');
    await browser();
  }, 120_000);

  beforeEach(async () => {
    if (!withBrowser) return;
    complaints = [];
    expected = undefined;
    page = await (await browser()).newPage({ locale: options.locale ?? 'en-US' });
    page.setDefaultTimeout(60_000);
    if (slower > 1) await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: slower });
    // As over plain http from another machine.
    await page.addInitScript('delete Crypto.prototype.randomUUID');
    page.on('console', (message) => {
      if (message.type() === 'error' && !expected?.test(message.text())) complaints.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && !origins().some((url) => new URL(url).origin === origin)) complaints.push(`request: ${request.url()}`);
    });
  });
  afterEach(async () => {
    await page?.close();
    if (withBrowser) expect(complaints).toEqual([]);
  });

  return {
    get page() {
      return page;
    },
    allow: (pattern) => (expected = pattern),
    shot: async (name) => {
      if (screenshots !== undefined) await page.screenshot({ path: path.join(screenshots, `${name}.png`) });
    },
  };
}
