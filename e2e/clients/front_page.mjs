// The lines of a development provider's own page for oidc-client-ts, exactly as they stand there, in a page on some port of this
// machine: whoever copies them has a login, with a bundler, for which an import map stands here, and without one.
//
//     node front_page.mjs FIXTURE.json
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { checksOf, close, expect, fixture } from './fixture.mjs';

const check = checksOf('oidc-client-ts by the front page');
const file = (path) => readFileSync(new URL(`node_modules/${path}`, import.meta.url));
const PACKED = 'node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js';
const libraries = {
  [`/${PACKED}`]: file('oidc-client-ts/dist/browser/oidc-client-ts.min.js'),
  '/oidc-client-ts.js': file('oidc-client-ts/dist/esm/oidc-client-ts.js'),
  '/jwt-decode.js': file('jwt-decode/build/esm/index.js'),
};
const imports = { 'oidc-client-ts': '/oidc-client-ts.js', 'jwt-decode': '/jwt-decode.js' };

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const tab = await (await browser.newContext()).newPage();
tab.setDefaultTimeout(15_000);
let lines = '';
/** What the page has told the person in a box, and its developer. */
const told = [];
const noted = [];
tab.on('dialog', (dialog) => {
  told.push(dialog.message());
  return dialog.accept();
});
tab.on('console', (message) => message.type() === 'warning' && noted.push(message.text()));
/** What the issuer's page says to do without a bundler. */
let packed = [];

await check('the issuer\'s own page has lines to copy', async () => {
  await tab.goto(`${fixture.issuer}/`);
  await tab.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await tab.locator('[data-what="oidc-client-ts"]').click();
  await tab.getByRole('button', { name: 'Copied' }).waitFor();
  lines = await tab.evaluate(() => navigator.clipboard.readText());
  expect(lines.includes(`authority: '${fixture.issuer}'`), 'they name the issuer');
  const whole = await tab.locator('#oidc-client-ts').textContent();
  expect(lines === whole.trim(), 'the button copies all of them');
  packed = await tab.locator('details[open] p code').allTextContents();
  const said = await tab.locator('.connect').innerText();
  expect(said.includes('“Allow access?” comes at each sign-in'), 'they say why consent is asked for each time');
  expect(said.includes('counts after a restart'), 'they say when settings count');
  expect(packed[0] === PACKED && packed.length === 3, `without a bundler: ${packed}`);
});

await check('every block of lines has its button, where scripts run', async () => {
  const shown = (page) => page.evaluate(() => {
    document.querySelectorAll('details').forEach((one) => { one.open = true; });
    const seen = [...document.querySelectorAll('.copies')].filter((one) => one.checkVisibility());
    return [document.querySelectorAll('pre').length, ...seen.map((one) => document.getElementById(one.dataset.what).localName)];
  });
  const [count, ...copied] = await shown(tab);
  expect(count > 5 && copied.join() === Array(count).fill('pre').join(), `${count} blocks, and buttons for ${copied}`);
  const without = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await without.goto(`${fixture.issuer}/`);
  expect((await shown(without)).length === 1, 'none where no scripts run');
});

let isPacked = false;
const folder = '/of/mine/';
const server = createServer((request, response) => {
  const library = libraries[request.url] ?? libraries[request.url.replace(folder, '/')];
  // Whoever serves files has nothing at any other address.
  if (!library && new URL(request.url, 'http://localhost').pathname !== folder) {
    response.statusCode = 404;
    response.end();
    return;
  }
  response.setHeader('content-type', library ? 'text/javascript' : 'text/html; charset=utf-8');
  const before = isPacked ? `<script src="${packed[0]}"></script>` : `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  const module = isPacked ? lines.replace(/^.*/, packed[2]) : lines;
  response.end(library ?? `<!doctype html><html lang="en"><meta charset="utf-8"><title>Mine</title>
${before}
<body><script type="module">${module}</script></html>`);
});
await new Promise((resolve) => server.listen(0, 'localhost', resolve));
const mine = `http://localhost:${server.address().port}${folder}`;

await check('a page with them signs in', async () => {
  await tab.goto(mine);
  await tab.getByRole('button', { name: 'Sign in' }).click();
  await tab.locator('main[data-page="login"]').waitFor();
  await tab.locator('input[name="username"]').fill(fixture.username);
  await tab.locator('input[name="password"]').fill(fixture.password);
  await tab.locator('button[name="action"][value="login"]').click();
  await tab.locator('button[name="action"][value="allow"]').click();
  await tab.getByRole('button', { name: 'Sign out Demo Person' }).waitFor();
  expect(tab.url() === mine, 'nothing of the answer is left in the address');
});

await check('whoever goes back and allows once more stays signed in, and is told nothing', async () => {
  const allow = tab.locator('button[name="action"][value="allow"]');
  for (let pages = 0; pages < 5 && !await allow.isVisible(); pages += 1) await tab.goBack();
  await allow.click();
  await tab.getByRole('button', { name: 'Sign out Demo Person' }).waitFor();
  expect(tab.url() === mine, 'nothing of the answer is left in the address');
  expect(told.length === 0, `told: ${told}`);
});

await check('without a bundler they work as well', async () => {
  isPacked = true;
  await tab.goto(mine);
  await tab.getByRole('button', { name: 'Sign out Demo Person' }).waitFor();
});

await check('and signs out', async () => {
  await tab.getByRole('button', { name: 'Sign out' }).click();
  await tab.waitForURL((url) => url.href.startsWith(mine));
  await tab.getByRole('button', { name: 'Sign in' }).waitFor();
});

await check('whoever cancels is asked again, and told nothing', async () => {
  await tab.getByRole('button', { name: 'Sign in' }).click();
  await tab.locator('button[name="action"][value="cancel"]').click();
  await tab.getByRole('button', { name: 'Sign in' }).waitFor();
  expect(tab.url() === mine, 'nothing of the answer is left in the address');
});

await check('what fails is noted for whoever develops the page', async () => {
  await tab.goto(`${mine}?code=stale&state=stale`);
  await tab.getByRole('button', { name: 'Sign in' }).waitFor();
  expect(noted.some((line) => line.includes('No matching state found in storage')), `noted: ${noted}`);
  expect(told.length === 0, `told: ${told}`);
});

await check('whoever has neither name nor e-mail address has a user name there, and reads of it before', async () => {
  const other = await (await browser.newContext()).newPage();
  other.setDefaultTimeout(15_000);
  await other.goto(mine);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.locator('input[name="username"]').fill(fixture.nameless);
  await other.locator('input[name="password"]').fill(fixture.password);
  await other.locator('button[name="action"][value="login"]').click();
  await other.getByText('Your account says nothing about this yet').waitFor();
  await other.locator('button[name="action"][value="allow"]').click();
  await other.getByRole('button', { name: `Sign out ${fixture.nameless}`, exact: true }).waitFor();
});

await browser.close();
server.close();
close();
