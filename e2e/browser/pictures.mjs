// Pictures of the pages, for docs/pages, and the page that shows them: taken by hand with `run --pictures docs/pages`.
//
//     node pictures.mjs ORIGIN FOLDER
//
// ORIGIN is that of `chancery pages preview`. A picture is named after page, language, scheme and width of the window:
// `consent.de.dark.320.png`.
import { mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { DESK, PASSING, PHONE, Sample, sampleNames } from './sample.mjs';

/** What is shown, by heading. The names are those of the samples. */
const SHOWN = {
  'Signing in': {
    login: 'Sign in',
    'login-refused': 'A wrong password',
    'login-throttled-minutes': 'Too many attempts: how long to wait',
    'login-no-cookies': 'A browser that keeps no cookies',
    'login-again': 'Signed in already, and asked once more',
    accounts: 'Which account?',
    'accounts-another': 'The application expects somebody else',
    'accounts-ended': 'The chosen account is not signed in any more',
    'signed-in': 'A page that was used already',
    'signed-in-ended': 'A page whose time is over',
  },
  'Making an account': {
    'sign-up': 'Create an account',
    'sign-up-name-taken': 'A name that somebody has',
    'sign-up-short': 'A password that is too short',
  },
  'Allowing access': {
    consent: 'Allow access, with the values that are shared',
    'consent-apis': 'Access to several APIs',
    'consent-details': 'In detail (RFC 9396)',
    'consent-unknown': 'Something of which nothing is known',
    'consent-nothing': 'An application that asks for nothing in particular',
  },
  'A person’s own account': {
    account: 'Sessions and applications',
    'account-news': 'A session has ended',
    'confirm-end-session': 'End a session?',
    'confirm-end-others': 'End all others?',
    'confirm-end-application': 'Withdraw an application?',
    'change-password': 'Change the password',
    'change-password-wrong': 'The current password is wrong',
  },
  'Devices without a browser': {
    'user-code': 'The code that the device shows',
    'user-code-unknown': 'A wrong code',
    'confirm-device': 'Is this your device?',
    'confirm-device-elsewhere': 'A device at another address',
    'device-done': 'Connected',
  },
  'Asked in the background': {
    approvals: 'What waits for the person',
    'approvals-none': 'Nothing waits',
    approve: 'Approve?',
    'approve-long': 'In detail, with a long message',
    'approval-done': 'Approved',
  },
  'Signing out': {
    'logout-confirm': 'Sign out?',
    'logout-confirm-others': 'Others are signed in, too',
    'logout-confirm-doubtful': 'A request that is not to be trusted',
    'logout-confirm-unregistered': 'An address to go to that a development provider does not know',
    'logout-frames': 'The applications are told',
    'logout-done': 'Signed out',
    'logout-done-others': 'Signed out, and somebody else is still signed in',
    'logout-done-all': 'Everybody is signed out',
    'logout-done-stayed': 'Stayed signed in',
  },
  'What goes wrong': {
    error: 'An error that names no application',
    'error-way-on': 'An error with a way on to the application',
    'error-unregistered': 'A redirect URI that a development provider does not know',
    'error-unregistrable': 'A redirect URI that no client can have',
    'error-unregistered-logout': 'A post-logout redirect URI that it does not know, where nobody is signed in',
    'error-signs-nobody-in': 'A redirect URI for a client that signs nobody in',
    'error-unknown-client': 'A client that a development provider does not know',
    'error-no-client': 'A request that names no client',
    'error-no-redirect-uri': 'A request that does not say where the answer goes',
    'error-client-disabled': 'A client that is disabled',
    'error-parameter-repeated': 'A parameter that came twice',
    'error-pushed-request-gone': 'A pushed request that has ended',
    'error-another-origin': 'A form from another address',
    'error-busy': 'Too much to do',
    'error-broken': 'A fault of the server',
    'not-found': 'An address where there is nothing',
  },
  'On the way': {
    form_post: 'An answer by `form_post`, where no scripts run',
    web_message: 'An answer by `web_message`, where no scripts run',
    repost: 'A request that another site has posted, where no scripts run',
    'front-page': 'The issuer’s own address',
    'front-page-trial': 'The same, of a development provider',
  },
};

const LANGUAGES = ['en', 'de'];
const SCHEMES = ['light', 'dark'];

/** The window of the picture that README.md shows. */
const COVER = { width: 620, height: 800 };

/** Times look like this wherever the pictures are taken. */
const WHERE = { locale: 'en-GB', timezoneId: 'Europe/Berlin' };

const file = (name, language, colorScheme, { width }) => `${name}.${language}.${colorScheme}.${width}.png`;

/** All pictures of a page in a language. */
async function take(sample, origin, folder, [name, language]) {
  await sample.open(`${origin}/${name}?language=${language}`, !PASSING.test(name));
  for (const colorScheme of SCHEMES) {
    const isCover = name === 'login' && language === 'en' && colorScheme === 'light';
    for (const viewport of isCover ? [DESK, PHONE, COVER] : [DESK, PHONE]) {
      await sample.show({ viewport, colorScheme });
      await sample.page.screenshot({ path: `${folder}/${file(name, language, colorScheme, viewport)}`, fullPage: true });
    }
  }
}

/** The page that shows them: of each a wide one and a narrow one, and links to the others. */
function readme() {
  const rows = (pages) => Object.entries(pages).map(([name, title]) => {
    const image = (...kind) => `![${title}](${file(name, ...kind)})`;
    const links = LANGUAGES.flatMap((language) => SCHEMES.flatMap((scheme) => [DESK, PHONE].map((viewport) =>
      `[${language}, ${scheme}, ${viewport.width}](${file(name, language, scheme, viewport)})`)));
    return `| ${title}<br><sub>${links.join('<br>')}</sub> | ${image('en', 'light', DESK)} | ${image('de', 'dark', PHONE)} |`;
  });
  const sections = Object.entries(SHOWN).map(([heading, pages]) =>
    [`## ${heading}`, '', '| | 1280 px | 320 px, German, dark |', '|---|---|---|', ...rows(pages), ''].join('\n'));
  return [
    '# The built-in pages', '',
    'Every kind of page, with the sample data of `chancery pages preview`, in both languages, light and dark, 1280 and 320 px wide.',
    'All of them work without scripts. Written and taken by `e2e/browser/run --pictures docs/pages`.', '',
    ...sections,
  ].join('\n');
}

async function main() {
  const [origin, folder] = process.argv.slice(2);
  const known = await sampleNames(origin);
  const names = Object.values(SHOWN).flatMap(Object.keys);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length) throw new Error(`there are no such pages: ${unknown.join(', ')}`);
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder).filter((name) => name.endsWith('.png'))) unlinkSync(`${folder}/${old}`);
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const pages = names.flatMap((name) => LANGUAGES.map((language) => [name, language]));
  const lane = async () => {
    const sample = await Sample.begin(browser, WHERE);
    for (let next = pages.shift(); next; next = pages.shift()) await take(sample, origin, folder, next);
    await sample.end();
  };
  await Promise.all([lane(), lane()]);
  await browser.close();
  writeFileSync(`${folder}/README.md`, readme());
}

await main();
