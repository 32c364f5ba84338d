// Every page with sample data, judged in Chromium: by axe-core, in narrow windows and with large type, by keyboard, and
// in the dark.
//
//     node gallery.mjs ORIGIN [WORDS OF A PAGE'S NAME]
//
// ORIGIN is that of `chancery pages preview`.
import { chromium } from 'playwright-core';
import { axeViolations } from './axe.mjs';
import { misfits } from './fit.mjs';
import { enterFaults, tabFaults } from './keyboard.mjs';
import { DESK, PASSING, PHONE, Sample, sampleNames } from './sample.mjs';

/** What most people see of an ordinary application fits into an ordinary window. */
const AT_ONCE = /^(login|consent)$/;
const WINDOW = { width: 1000, height: 800 };

/** What is wrong with a page in a language; it is looked at more closely if it is the first one of its kind. */
async function judge(sample, address, language, kinds) {
  const faults = [];
  const told = async (where, finding) => {
    for (const fault of await finding) faults.push(`${language}, ${where}: ${fault}`);
  };
  const { page } = sample;

  await sample.show({ viewport: DESK, colorScheme: 'light' });
  await sample.open(address, false);
  await told('light', axeViolations(page));
  // What is pressed is the same in each language.
  if (language === 'en') await told('light, keyboard', tabFaults(page));
  if (language === 'en') await told('keyboard', enterFaults(page));
  if (AT_ONCE.test(new URL(address).pathname.slice(1))) {
    await sample.show({ viewport: WINDOW, colorScheme: 'light' });
    await told('1000 × 800', scrolling(page));
  }
  await sample.show({ viewport: PHONE, colorScheme: 'dark' });
  await told('320 px, dark', axeViolations(page, ['color-contrast', 'target-size']));
  await told('320 px', misfits(page));
  await told('320 px, dark, keyboard', tabFaults(page));
  await sample.show({ viewport: PHONE, colorScheme: 'dark', type: 32 });
  await told('320 px, large type', misfits(page, 32));
  await sample.show({ viewport: DESK, colorScheme: 'dark', type: 32 });
  await told('1280 px, large type', misfits(page, 32));

  const scripts = await page.locator('script').count();
  const kind = `${await page.locator('main').getAttribute('data-page')}, ${language}${scripts ? ', with a script' : ''}`;
  if (kinds.has(kind)) return faults;
  kinds.add(kind);
  await told('dark', ground(page));
  await told('dark', flash(sample, address));
  if (PASSING.test(kind)) return faults;
  await sample.show({ viewport: PHONE, colorScheme: 'dark' });
  await sample.open(address, true);
  await told('dark, with scripts', axeViolations(page));
  await told('320 px, with scripts', misfits(page));
  await told('320 px, with scripts, keyboard', tabFaults(page));
  return faults;
}

/** A page that is seen at once does not have to be scrolled. */
function scrolling(page) {
  return page.evaluate(() => {
    const { scrollHeight, clientHeight } = document.documentElement;
    return scrollHeight > clientHeight ? [`the page is ${scrollHeight} px high`] : [];
  });
}

/** A page for dark rooms has a dark ground. */
function ground(page) {
  return page.evaluate(() => {
    const { backgroundColor, colorScheme } = getComputedStyle(document.body);
    const brightest = Math.max(...backgroundColor.match(/\d+/g).slice(0, 3));
    const faults = brightest > 64 ? [`the ground is ${backgroundColor}`] : [];
    return colorScheme === 'light dark' ? faults : [...faults, `the color-scheme is ${colorScheme}`];
  });
}

/** What of a page has come before its style sheet is dark already where that is wished, and does not flash. */
async function flash(sample, address) {
  const { page } = sample;
  const html = await (await fetch(address)).text();
  await sample.show({ viewport: PHONE, colorScheme: 'dark' });
  const body = html.slice(0, html.indexOf('<style'));
  await page.route(address, (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body }));
  await page.goto(address);
  await page.unroute(address);
  const picture = await page.screenshot({ clip: { x: 10, y: 10, width: 1, height: 1 } });
  const [red] = await page.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const context = document.createElement('canvas').getContext('2d');
    context.drawImage(image, 0, 0);
    return [...context.getImageData(0, 0, 1, 1).data];
  }, picture.toString('base64'));
  return red > 64 ? ['it flashes before its style sheet has come'] : [];
}

async function main() {
  const [origin, ...words] = process.argv.slice(2);
  const names = (await sampleNames(origin)).filter((name) => `gallery: ${name}`.includes(words.join(' ')));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = names.length && await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const kinds = new Set();
  let [passed, failed] = [0, 0];
  const lane = async () => {
    const sample = await Sample.begin(browser);
    for (let name = names.shift(); name; name = names.shift()) {
      const began = Date.now();
      const faults = [];
      try {
        for (const language of ['en', 'de']) {
          faults.push(...await judge(sample, `${origin}/${name}?language=${language}`, language, kinds));
        }
      } catch (error) {
        faults.push(`${error.stack}`.split('\n').slice(0, 4).join('\n'));
      }
      if (faults.length) failed += 1;
      else passed += 1;
      console.log(`${faults.length ? 'FAILED' : 'ok    '} gallery: ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
      for (const fault of faults) console.log(`       ${fault}`);
    }
    await sample.end();
  };
  if (browser) await Promise.all([lane(), lane(), lane()]);
  if (browser) await browser.close();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

await main();
