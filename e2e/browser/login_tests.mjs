// A9, first half: signing in and allowing, and what goes wrong on the way.
import assert from 'node:assert/strict';
import { Request } from './visit.mjs';

export const tests = {
  'login, consent, client': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books, { scope: 'openid profile email offline_access' });
    const page = await visit.open(request);
    await visit.signIn(page, person);
    await visit.arrive(page, 'consent');
    assert.match(await page.locator('main').textContent(), /Lantern Books/);
    await visit.press(page, 'allow');
    const tokens = await request.tokens(await visit.answer(page));
    assert.ok(tokens.refresh_token);

    const again = new Request(world, world.books, { scope: 'openid profile email' });
    await again.tokens((await visit.through(again)).answer);
  },

  'the consent page says what is asked for at which API': async ({ world, visit }) => {
    const [albums, prints, calendar] = world.apis;
    const person = await world.person();
    const request = new Request(world, world.books, { scope: 'openid albums.read prints.order', resource: world.apis });
    const page = await visit.open(request);
    await visit.signIn(page, person);
    await visit.arrive(page, 'consent');
    const items = (name) => page.getByRole('list', { name }).getByRole('listitem').allInnerTexts();
    assert.deepEqual(await items(albums), ['Use the permission albums.read']);
    assert.deepEqual(await items(/Photo albums/), ['Use the permission albums.read']);
    assert.deepEqual(await items(prints), ['Use the permission prints.order']);
    assert.ok(await page.getByRole('heading', { name: calendar }).isVisible(), 'access alone');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is too wide');
    await visit.press(page, 'allow');
    await visit.answer(page);
    const more = await visit.open(new Request(world, world.books, { scope: 'openid albums.read albums.write', resource: albums }));
    await visit.arrive(more, 'consent');
    assert.deepEqual(await more.getByRole('listitem').allInnerTexts(), ['Use the permission albums.write'], 'only what is new');
  },

  'cancel at the login': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.arrive(page, 'login');
    await visit.press(page, 'cancel');
    request.refused(await visit.answer(page), 'access_denied');
  },

  'cancel at the consent': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.signIn(page, await world.person());
    await visit.arrive(page, 'consent');
    await visit.press(page, 'deny');
    request.refused(await visit.answer(page), 'access_denied');
  },

  'a wrong password keeps the request': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.signIn(page, { ...person, password: 'not the password' });
    await visit.arrive(page, 'login');
    assert.equal(await page.locator('input[name="username"]').inputValue(), person.username);
    assert.equal(await page.locator('input[name="password"]').inputValue(), '');
    assert.ok(await page.locator('[role="alert"]').isVisible(), 'it says what is wrong');
    await request.tokens(await visit.finish(page, person));
  },

  'a name that nobody has gets the same answer': async ({ world, visit }) => {
    const person = await world.person();
    const said = [];
    for (const username of [person.username, 'nobody-of-this-name']) {
      const page = await visit.open(new Request(world, world.books));
      await visit.signIn(page, { username, password: 'not the password' });
      await visit.arrive(page, 'login');
      said.push(await page.locator('[role="alert"]').textContent());
    }
    assert.equal(said[0], said[1]);
  },

  'two tabs of two clients, first one first': (at) => twoTabs(at, [0, 1]),
  'two tabs of two clients, second one first': (at) => twoTabs(at, [1, 0]),

  'the back button after the end': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.signIn(page, person);
    await visit.allow(page);
    await request.tokens(await visit.answer(page));
    for (let back = 0; back < 2; back += 1) {
      await page.goBack().catch(() => undefined);
      const name = await visit.name(page);
      await visit.arrive(page, name);
      if (name === 'consent') {
        await visit.press(page, 'allow');
        await visit.arrive(page, await visit.name(page));
      }
    }
  },

  'a consent page that is used twice': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.signIn(page, person);
    await visit.arrive(page, 'consent');
    const address = page.url();
    await visit.press(page, 'allow');
    await request.tokens(await visit.answer(page));
    await page.goto(address);
    await visit.arrive(page, await visit.name(page));
    assert.notEqual(await visit.name(page), 'consent');
  },

  'cookies deleted between form and submit': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.arrive(page, 'login');
    await visit.context.clearCookies();
    await visit.signIn(page, person);
    await visit.arrive(page, 'login');
    assert.ok(await page.locator('[role="alert"]').isVisible(), 'it says why');
    assert.deepEqual(await visit.sessions(), [], 'nobody is signed in');
    await request.tokens(await visit.finish(page, person));
  },

  'the session ends between login and consent': async ({ world, visit }) => {
    const person = await world.person();
    const page = await visit.open(new Request(world, world.books));
    await visit.signIn(page, person);
    await visit.arrive(page, 'consent');
    person.password = await world.changePassword(person);
    await world.untilSeen();
    await visit.press(page, 'allow');
    await visit.arrive(page, await visit.name(page));
    assert.notEqual(await visit.name(page), 'client', 'no answer for the client of a session that has ended');
    const again = new Request(world, world.books);
    await again.tokens((await visit.through(again, person)).answer);
  },

  'a deleted account with a live session (A12)': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    await request.tokens((await visit.through(request, person)).answer);
    await world.remove(person);
    await world.untilSeen();
    const page = await visit.open(new Request(world, world.books));
    await visit.arrive(page, 'login');
    const silent = new Request(world, world.books, { prompt: 'none' });
    silent.refused(await visit.answer(await visit.open(silent)), 'login_required');
  },

  'a callback that redirects on to a third site': async ({ world, visit }) => {
    const request = new Request(world, world.books, { redirect_uri: `${world.site.origin}/onward` });
    const { page, answer } = await visit.through(request, await world.person());
    assert.ok(page.url().startsWith(world.third.origin));
    await request.tokens(answer);
  },

  'an unknown redirect URI ends at the error page': async ({ world, visit }) => {
    const page = await visit.open(new Request(world, world.books, { redirect_uri: `${world.site.origin}/elsewhere` }));
    await visit.arrive(page, 'error');
    assert.ok(page.url().startsWith(world.issuer));
    assert.match(await page.locator('main').textContent(), /invalid_request/);
  },
};

async function twoTabs({ world, visit }, order) {
  const person = await world.person();
  const requests = [new Request(world, world.books), new Request(world, world.mail)];
  const pages = [await visit.open(requests[0]), await visit.open(requests[1])];
  for (const at of order) {
    await requests[at].tokens(await visit.finish(pages[at], person));
  }
}

/** What is there where scripts run. */
export const scripted = {
  'back over a failed login, and loading it again, sends nothing once more': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    const sent = [];
    page.on('request', (one) => { if (one.isNavigationRequest()) sent.push(one.method()); });
    await visit.signIn(page, { ...person, password: 'not the password' });
    await visit.arrive(page, 'login');
    assert.ok(await page.locator('[role="alert"]').isVisible(), 'it says what is wrong');
    sent.length = 0;
    await page.reload();
    await visit.arrive(page, 'login');
    assert.deepEqual(sent, ['GET']);
    assert.equal(await page.locator('[role="alert"]').count(), 0, 'nothing was tried');

    await visit.signIn(page, { ...person, password: 'not the password' });
    await request.tokens(await visit.finish(page, person));
    sent.length = 0;
    // The consent that was answered, then the failed login. A page that would have to be sent once more fails here.
    for (let back = 0; back < 2; back += 1) {
      await page.goBack();
      await visit.arrive(page, await visit.name(page));
    }
    assert.ok(sent.every((method) => method === 'GET'), sent.join());
  },

  'a password can be shown, and is typed as before': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.arrive(page, 'login');
    const field = page.locator('input[name="password"]');
    await field.fill(person.password);
    for (const [button, type] of [['Show password', 'text'], ['Hide password', 'password'], ['Show password', 'text']]) {
      await page.getByRole('button', { name: button }).click();
      assert.equal(await field.getAttribute('type'), type, button);
      assert.equal(await field.inputValue(), person.password);
      assert.ok(await field.evaluate((element) => element === document.activeElement), 'typing goes on');
    }
    await request.tokens(await visit.finish(page, person));
  },
};
