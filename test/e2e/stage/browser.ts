import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const executable = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Where there is no browser the suite is told as not run, by its name; on the machine that decides over a change it must run. */
export function describeWithBrowser(name: string, body: () => void): void {
  if (existsSync(executable) || process.env['CI'] === 'true') describe(name, body);
  else describe.skip(`${name} (not run: no browser at ${executable}, set CHROMIUM_PATH)`, body);
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A tab that remembers whatever a reader should never meet. */
export class WatchedPage {
  readonly page: Page;
  readonly complaints: string[] = [];
  readonly outside: string[] = [];

  private constructor(page: Page, own: string) {
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      this.complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (new URL(request.url()).host !== own) this.outside.push(request.url());
    });
  }

  static async open(browser: Browser, width: number, url: string): Promise<WatchedPage> {
    const context = await browser.newContext({ viewport: { width, height: 800 }, screen: { width, height: 800 }, isMobile: width < 600, hasTouch: width < 600 });
    const watched = new WatchedPage(await context.newPage(), new URL(url).host);
    await watched.page.goto(url);
    return watched;
  }

  async text(testId: string): Promise<string> {
    return (await this.page.getByTestId(testId).first().innerText()).trim();
  }

  /** Digits without the narrow spaces that group them. */
  async number(testId: string): Promise<number> {
    return Number((await this.text(testId)).replaceAll(/\s/g, ''));
  }

  field(name: string): Promise<string> {
    return this.page.locator(`[data-field="${name}"] dd`).first().innerText();
  }

  /** How far the page can be moved sideways; not above zero on any page. */
  sideways(): Promise<number> {
    return this.page.evaluate('document.documentElement.scrollWidth - screen.width');
  }

  /** The browser itself tells of every 404 and every refused connection; what is left is the page's own fault. */
  faults(): string[] {
    return this.complaints.filter((text) => !text.startsWith('Failed to load resource'));
  }
}
