// The response mode `web_message`: a page of the client's origin, on the issuer's own site, hears the answer; nobody else does.
import assert from 'node:assert/strict';
import { Request } from './visit.mjs';

/** A request of the client in the browser, which wants its answer as a message. */
const request = (world, parameters = {}) =>
  new Request(world, world.chat, { response_mode: 'web_message', ...parameters });

/** Opens a page of this site, which remembers what it hears. */
async function listener(visit, site) {
  const page = await visit.open(`${site.origin}/messages`);
  await page.evaluate(() => {
    window.heard = [];
    window.addEventListener('message', ({ origin, data }) => window.heard.push({ origin, data }));
  });
  return page;
}

/** What the page hears first. */
async function hears(page) {
  await page.waitForFunction(() => window.heard.length > 0);
  return page.evaluate(() => window.heard[0]);
}

function frame(page, url) {
  return page.evaluate((src) => {
    const element = document.createElement('iframe');
    const loaded = new Promise((resolve) => { element.onload = resolve; });
    document.body.append(Object.assign(element, { src, hidden: true }));
    return loaded;
  }, url);
}

async function popup(page, { url }) {
  const opened = page.waitForEvent('popup');
  await page.evaluate((address) => void window.open(address), url);
  return opened;
}

/** Signs in in a window of its own, which closes by itself. */
async function signInByPopup(visit, page, request, person) {
  const window = await popup(page, request);
  await visit.arrive(window, 'login');
  await window.locator('input[name="username"]').fill(person.username);
  await window.locator('input[name="password"]').fill(person.password);
  const closed = window.waitForEvent('close');
  await window.locator('button[value="login"]').click({ noWaitAfter: true });
  await closed;
}

/** The answer, once it is clear that the issuer has sent it. */
function answer(world, { origin, data }) {
  assert.equal(origin, world.issuer);
  assert.equal(data.type, 'authorization_response');
  return data.response;
}

export const tests = {
  'web_message: a popup and then a hidden frame (RMODE-12)': async ({ world, visit }) => {
    const person = await world.person();
    const page = await listener(visit, world.neighbour);
    const first = request(world);
    await signInByPopup(visit, page, first, person);
    const tokens = await first.tokens(answer(world, await hears(page)));

    const silent = request(world, { prompt: 'none' });
    const quiet = await listener(visit, world.neighbour);
    await frame(quiet, silent.url);
    const again = await silent.tokens(answer(world, await hears(quiet)));
    assert.equal(again.claims.sub, tokens.claims.sub);
  },

  'web_message: an error comes by the hidden frame, too': async ({ world, visit }) => {
    const silent = request(world, { prompt: 'none' });
    const page = await listener(visit, world.neighbour);
    await frame(page, silent.url);
    silent.refused(answer(world, await hears(page)), 'login_required');
  },

  'web_message: another origin can neither frame the answer nor hear it': async ({ world, visit }) => {
    const page = await listener(visit, world.neighbour);
    await signInByPopup(visit, page, request(world), await world.person());
    // The same answer, asked for by a page of another port of the same host: it has the cookies, and not the origin.
    const stranger = await listener(visit, world.stranger);
    await frame(stranger, request(world, { prompt: 'none' }).url);
    const window = await popup(stranger, request(world, { prompt: 'none' }));
    if (!window.isClosed()) await window.waitForEvent('close');
    assert.deepEqual(await stranger.evaluate(() => window.heard), []);
    const blocked = visit.violations.filter((text) => text.includes('frame-ancestors'));
    assert.equal(blocked.length, 1, visit.violations.join('\n'));
    visit.violations.length = 0;
  },

  'web_message: nobody frames the login page, not even the client': async ({ world, visit }) => {
    const page = await listener(visit, world.neighbour);
    await frame(page, request(world).url);
    const framed = page.frames().find((one) => one !== page.mainFrame());
    assert.equal(await framed.locator('main').count(), 0);
    assert.match(visit.violations.join('\n'), /frame-ancestors|X-Frame-Options/);
    visit.violations.length = 0;
  },
};
