import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'

const SHOTS = join(import.meta.dirname, '../browser/shots')
/** Debian's Chromium, kept from looking for anything outside this machine. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** A real browser, which remembers everything that went wrong in its pages. */
export class RealBrowser {
  readonly #browser: Browser
  /** Errors of scripts, refusals of the Content-Security-Policy, and whatever else a page complained of. */
  readonly complaints: string[] = []

  private constructor(browser: Browser) {
    this.#browser = browser
    mkdirSync(SHOTS, { recursive: true })
  }

  static async start(): Promise<RealBrowser> {
    return new RealBrowser(await chromium.launch({ executablePath: inject('chromium'), args: QUIET }))
  }

  /** A page of somebody's own: their own storage, their own session. */
  async page(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: 1360, height: 850 },
      locale: 'en-GB',
      ...options,
    })
    context.setDefaultTimeout(30_000)
    const page = await context.newPage()
    page.on('pageerror', (error) => this.complaints.push(`${error.name}: ${error.message}`))
    page.on('console', (line) => {
      // A server that is away is the test's own doing; the browser reports each refused connection.
      if (
        line.type() === 'error' &&
        !/ERR_CONNECTION|WebSocket connection|Failed to load resource/.test(line.text())
      )
        this.complaints.push(line.text())
    })
    return page
  }

  async close(): Promise<void> {
    await this.#browser.close()
  }
}

/** A picture of a page, for people to look at; `test/browser/shots/` is not kept by git. */
export async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: 'disabled' })
}
