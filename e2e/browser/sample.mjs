// The pages with sample data of `chancery pages preview`, opened in Chromium one after the other.

/** A window as wide as most, and as narrow as a small telephone. */
export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 320, height: 640 };

/** Pages that leave by themselves where scripts run, so that nobody reads them there. */
export const PASSING = /^(form_post|repost|web_message|logout-frames)/;

/** The names of all pages. */
export async function sampleNames(origin) {
  const list = await (await fetch(origin)).text();
  return [...list.matchAll(/<li>([\w-]+):/g)].map(([, name]) => name);
}

/** A page of the gallery in this language, as it is with scripts or without them. */
export class Sample {
  static async begin(browser, options) {
    const sample = new Sample();
    sample.page = await (await browser.newContext(options)).newPage();
    sample.page.setDefaultTimeout(20_000);
    // Some go on to the application by themselves, and are to be looked at: an answer without content keeps the page.
    await sample.page.route((url) => url.hostname.endsWith('.example'), (route) => route.fulfill({ status: 204 }));
    sample.chromium = await sample.page.context().newCDPSession(sample.page);
    return sample;
  }

  /** Opens a page. Without scripts none of its own run; what judges it does, later. */
  async open(address, scripts) {
    await this.chromium.send('Emulation.setScriptExecutionDisabled', { value: !scripts });
    await this.page.goto(address);
    await this.chromium.send('Emulation.setScriptExecutionDisabled', { value: false });
    // Pages that leave by themselves show late what they say, and hyphens that a browser knows by itself are not everywhere.
    await this.page.evaluate(() => {
      const style = new CSSStyleSheet();
      style.replaceSync('.passing, .passing * { animation: none !important; } * { hyphens: manual !important; }');
      document.adoptedStyleSheets.push(style);
    });
  }

  async show({ viewport, colorScheme, type = 16 }) {
    await this.page.setViewportSize(viewport);
    await this.page.emulateMedia({ colorScheme });
    await this.chromium.send('Page.setFontSizes', { fontSizes: { standard: type, fixed: Math.round(type * 13 / 16) } });
  }

  end() {
    return this.page.context().close();
  }
}
