// The pages of examples/remote-pages, on another port than the provider: another origin of the same site.
import assert from 'node:assert/strict';
import { Request } from './visit.mjs';

/** Waits for this page and looks whether it is fit for people; it is one of the front end. */
async function arrive(visit, page, name) {
  await visit.arrive(page, name);
  assert.equal(new URL(page.url()).origin, visit.world.pages);
  await visit.inspect(page, name);
}

async function signIn(visit, page, person) {
  await arrive(visit, page, 'login');
  await visit.signIn(page, person);
}

async function allow(visit, page) {
  await arrive(visit, page, 'consent');
  await visit.press(page, 'allow');
}

const twoTabs = async ({ world, visit }, order) => {
  const person = await world.person();
  const requests = [new Request(world, world.books), new Request(world, world.mail)];
  const tabs = [];
  for (const request of requests) tabs.push(await visit.open(request));
  for (const at of order) await signIn(visit, tabs[at], person);
  for (const at of order) {
    await allow(visit, tabs[at]);
    await requests[at].tokens(await visit.answer(tabs[at]));
  }
};

export const tests = {
  'login, consent, client': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books, { scope: 'openid profile email offline_access' });
    const page = await visit.open(request);
    await signIn(visit, page, person);
    await arrive(visit, page, 'consent');
    const words = await page.locator('main').innerText();
    for (const part of ['Lantern Books', person.username, 'Your email address']) assert.ok(words.includes(part), words);
    await visit.press(page, 'allow');
    const tokens = await request.tokens(await visit.answer(page));
    assert.ok(tokens.refresh_token);
    // Signed in and agreed: nothing is asked any more.
    const again = new Request(world, world.books, { scope: 'openid profile email' });
    await again.tokens(await visit.answer(await visit.open(again)));
  },

  'a wrong password keeps the request': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await signIn(visit, page, { ...person, password: 'not the password' });
    await page.locator('[role="alert"]').waitFor();
    await arrive(visit, page, 'login');
    assert.equal(await page.locator('input[name="username"]').inputValue(), person.username);
    assert.equal(await page.locator('input[name="password"]').inputValue(), '');
    assert.equal(await page.locator('input[name="password"]').evaluate((input) => input === document.activeElement), true);
    await signIn(visit, page, person);
    await allow(visit, page);
    await request.tokens(await visit.answer(page));
  },

  'an account is made': async ({ world, visit }) => {
    const taken = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await arrive(visit, page, 'login');
    await visit.press(page, 'create');
    await arrive(visit, page, 'create');
    await visit.press(page, 'login');
    await arrive(visit, page, 'login');
    await visit.press(page, 'create');
    await arrive(visit, page, 'create');
    const enter = async (username, password) => {
      await page.locator('input[name="username"]').fill(username);
      await page.locator('input[name="password"]').fill(password);
      await visit.press(page, 'create');
    };
    await enter(taken.username, 'a password for nobody else');
    await page.locator('[role="alert"]', { hasText: 'Somebody has this name already' }).waitFor();
    await arrive(visit, page, 'create');
    assert.equal(await page.locator('input[name="password"]').inputValue(), '');
    await enter(`${taken.username}.new`, 'a password for nobody else');
    await allow(visit, page);
    await request.tokens(await visit.answer(page));
    // A client can lead there at once.
    const direct = new Request(world, world.books, { prompt: 'create', ui_locales: 'de' });
    const again = await visit.open(direct);
    await arrive(visit, again, 'create');
    assert.equal(await again.locator('h1').innerText(), 'Konto anlegen');
    await visit.press(again, 'cancel');
    direct.refused(await visit.answer(again), 'access_denied');
  },

  'cancel at the login': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await arrive(visit, page, 'login');
    await visit.press(page, 'cancel');
    request.refused(await visit.answer(page), 'access_denied');
  },

  'cancel at the consent': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await signIn(visit, page, await world.person());
    await arrive(visit, page, 'consent');
    await visit.press(page, 'deny');
    request.refused(await visit.answer(page), 'access_denied');
  },

  'in German and in English': async ({ world, begin }) => {
    for (const [locale, ui_locales, language, heading] of [
      ['de-CH', undefined, 'de', 'Anmelden'],
      ['en-GB', undefined, 'en', 'Sign in'],
      ['en-GB', 'de', 'de', 'Anmelden'],
      ['fr-FR', 'it', 'en', 'Sign in'],
    ]) {
      const visit = await begin({ locale });
      const page = await visit.open(new Request(world, world.books, ui_locales ? { ui_locales } : {}));
      await arrive(visit, page, 'login');
      assert.equal(await page.locator('html').getAttribute('lang'), language);
      assert.equal(await page.locator('h1').innerText(), heading);
    }
  },

  'by keyboard alone': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await arrive(visit, page, 'login');
    await page.keyboard.type(person.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(person.password);
    await page.keyboard.press('Enter');
    await arrive(visit, page, 'consent');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.value), 'allow');
    await page.keyboard.press('Enter');
    await request.tokens(await visit.answer(page));
  },

  'on a narrow screen': async ({ world, begin }) => {
    const visit = await begin({ viewport: { width: 320, height: 568 }, colorScheme: 'dark' });
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await signIn(visit, page, await world.person());
    await allow(visit, page);
    await request.tokens(await visit.answer(page));
  },

  'another account': async ({ world, visit }) => {
    const [one, other] = [await world.person(), await world.person()];
    const first = await visit.open(new Request(world, world.books));
    await signIn(visit, first, one);
    await allow(visit, first);
    await visit.answer(first);
    const request = new Request(world, world.books, { prompt: 'select_account' });
    const page = await visit.open(request);
    await arrive(visit, page, 'accounts');
    await visit.press(page, 'another');
    await signIn(visit, page, other);
    await allow(visit, page);
    await request.tokens(await visit.answer(page));
    const last = new Request(world, world.books, { prompt: 'select_account' });
    const chooser = await visit.open(last);
    await arrive(visit, chooser, 'accounts');
    assert.equal(await chooser.locator('button[name="account"]').count(), 2);
    await chooser.locator('button[name="account"]', { hasText: one.username }).click();
    await last.tokens(await visit.answer(chooser));
  },

  'two tabs of two clients, first one first': (at) => twoTabs(at, [0, 1]),
  'two tabs of two clients, second one first': (at) => twoTabs(at, [1, 0]),

  'every page can be loaded again': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await arrive(visit, page, 'login');
    await page.reload();
    await signIn(visit, page, person);
    await arrive(visit, page, 'consent');
    await page.reload();
    const address = page.url();
    await allow(visit, page);
    await request.tokens(await visit.answer(page));
    const late = await visit.open(address);
    await arrive(visit, late, 'over');
    await late.locator(`main a[href^="${world.issuer}/authorize?"]`).click();
    assert.ok((await visit.answer(late)).code, 'the consent is remembered');
  },

  'a response that is posted': async ({ world, visit }) => {
    const request = new Request(world, world.books, { response_mode: 'form_post' });
    const page = await visit.open(request);
    await signIn(visit, page, await world.person());
    await allow(visit, page);
    await request.tokens(await visit.answer(page));
    assert.equal(await page.locator('#by').textContent(), 'POST');
  },

  'a long request': async ({ world, visit }) => {
    const request = new Request(world, world.books, { state: 'long-'.repeat(600) });
    const page = await visit.open(request);
    await arrive(visit, page, 'login');
    assert.ok(page.url().length < 200, page.url());
    await signIn(visit, page, await world.person());
    await allow(visit, page);
    await request.tokens(await visit.answer(page));
  },

  'the address is of no use in another browser': async ({ world, visit, begin }) => {
    const page = await visit.open(new Request(world, world.books));
    await arrive(visit, page, 'login');
    const stranger = await begin();
    const shown = await stranger.open(page.url());
    await arrive(stranger, shown, 'over');
  },

  'no other origin may ask': async ({ world, visit }) => {
    const page = await visit.open(new Request(world, world.books));
    await arrive(visit, page, 'login');
    const address = `${world.issuer}/interaction${new URL(page.url()).search}`;
    const ask = (at) => at.evaluate(async (url) => {
      const send = (init) => fetch(url, { credentials: 'include', ...init }).then((answer) => answer.status, () => 'kept away');
      const login = `${url.split('?')[0]}/login`;
      return [
        await send({}),
        await fetch(login, { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: '{}' })
          .then((answer) => answer.status, () => 'kept away'),
      ];
    }, address);
    assert.deepEqual(await ask(page), [200, 400]);
    assert.deepEqual(await ask(await visit.open(world.site.origin)), ['kept away', 'kept away']);
  },
};

/** What the front end of a client asks by itself, which names the client by a header. */
const asked = (page, issuer, client, path, body) =>
  page.evaluate(async ([url, name, sent]) => {
    const headers = { 'Logto-App-Id': name, ...(sent && { 'content-type': 'application/json' }) };
    const init = { credentials: 'include', headers, ...(sent && { method: 'POST', body: JSON.stringify(sent) }) };
    const response = await fetch(url, init);
    return { status: response.status, answer: await response.json() };
  }, [`${issuer}/interaction${path}`, client.client_id, body]);

/** Two front ends of two clients, whose URL carries no handle. */
const twoFrontEnds = async ({ world, visit }, order) => {
  const person = await world.person();
  const requests = [new Request(world, world.books), new Request(world, world.mail)];
  const tabs = [];
  for (const [at, request] of requests.entries()) {
    const tab = await visit.open(request);
    tabs.push(tab);
    await arrive(visit, tab, 'login');
    assert.equal(new URL(tab.url()).search, `?app_id=${requests[at].client.client_id}`);
  }
  const through = async (at) => {
    await signIn(visit, tabs[at], person);
    const answer = await allowOrStartAgain(visit, tabs[at]);
    await requests[at].tokens(answer);
  };
  if (order) for (const at of order) await through(at);
  else await Promise.all([through(0), through(1)]);
  assert.ok(visit.restarts <= (order ? 0 : 1), `${visit.restarts} requests were started again`);
};

/**
 * A browser holds one list of sessions. When two answers to a login come at the same moment, the later one replaces the
 * list of the earlier one; that request is over then, and its page starts it again, for the person who is signed in.
 */
async function allowOrStartAgain(visit, page) {
  visit.restarts ??= 0;
  const again = page.locator(`main[data-page="over"] a[href^="${visit.world.issuer}/authorize?"]`);
  const allowed = page.locator('main[data-page="consent"] button[value="allow"]:enabled');
  for (let step = 0; step < 4; step += 1) {
    await allowed.or(again).or(page.locator('main[data-page="client"]')).waitFor();
    const name = await visit.name(page);
    if (name === 'client') return visit.answer(page);
    if (name === 'over') visit.restarts += 1;
    await (name === 'over' ? again : allowed).click();
    await page.waitForLoadState();
  }
  return assert.fail('four pages and not back at the client');
}

/** With `compatibility.stored_interactions_by_client`. */
export const byClient = {
  'LOGTO-04 two front ends, first one first': (at) => twoFrontEnds(at, [0, 1]),
  'LOGTO-04 two front ends, second one first': (at) => twoFrontEnds(at, [1, 0]),
  'LOGTO-04 two front ends at the same moment': (at) => twoFrontEnds(at),

  'LOGTO-06, 07 the header names the client': async ({ world, visit }) => {
    const person = await world.person();
    const requests = [new Request(world, world.books), new Request(world, world.mail)];
    const [books, mail] = [await visit.open(requests[0]), await visit.open(requests[1])];
    await arrive(visit, books, 'login');
    await arrive(visit, mail, 'login');
    for (const client of [world.books, world.mail]) {
      const { answer } = await asked(books, world.issuer, client, '');
      assert.equal(answer.client.name, client.client_name);
    }
    await signIn(visit, books, person);
    await arrive(visit, books, 'consent');
    const { answer: consent } = await asked(books, world.issuer, world.books, '');
    const sent = { form: consent.form, allow: true };
    assert.equal((await asked(books, world.issuer, world.mail, '/consent', sent)).status, 400);
    const { answer } = await asked(books, world.issuer, world.books, '/consent', sent);
    assert.ok(answer.redirect_to.startsWith(requests[0].parameters.redirect_uri), answer.redirect_to);
    await signIn(visit, mail, person);
    await allow(visit, mail);
    await requests[1].tokens(await visit.answer(mail));
  },
};
