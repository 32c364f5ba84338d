// A9, second half, A10 and A11: sessions, accounts, languages, and requests and answers from site to site.
import assert from 'node:assert/strict';
import { Request } from './visit.mjs';

export const tests = {
  'prompt=none without a session (A10)': async ({ world, visit }) => {
    const request = new Request(world, world.books, { prompt: 'none' });
    request.refused(await visit.answer(await visit.open(request)), 'login_required');
  },

  'prompt=none without consent (A10)': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    await request.tokens((await visit.through(request, await world.person())).answer);
    const silent = new Request(world, world.mail, { prompt: 'none' });
    silent.refused(await visit.answer(await visit.open(silent)), 'consent_required');
  },

  'prompt=none with session and consent': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const first = await request.tokens((await visit.through(request, await world.person())).answer);
    const silent = new Request(world, world.books, { prompt: 'none' });
    const second = await silent.tokens(await visit.answer(await visit.open(silent)));
    assert.equal(second.claims.sub, first.claims.sub);
    assert.equal(second.claims.auth_time, first.claims.auth_time);
  },

  'prompt=login gives a newer auth_time (A10)': (at) => signsInAgain(at, { prompt: 'login' }),
  'max_age=1 gives a newer auth_time (A10)': (at) => signsInAgain(at, { max_age: '1' }),

  'max_age that is met asks nothing': async ({ world, visit }) => {
    const person = await world.person();
    const first = new Request(world, world.books, { max_age: '15000' });
    const before = await first.tokens((await visit.through(first, person)).answer);
    const second = new Request(world, world.books, { max_age: '10000' });
    const after = await second.tokens(await visit.answer(await visit.open(second)));
    assert.equal(after.claims.auth_time, before.claims.auth_time);
  },

  'id_token_hint of another person is refused also after login (A10, GAP-01)': async ({ world, visit }) => {
    const [expected, other] = [await world.person(), await world.person()];
    const first = new Request(world, world.books);
    const { id_token, claims } = await first.tokens((await visit.through(first, expected)).answer);
    await visit.context.clearCookies();
    const request = new Request(world, world.books, { id_token_hint: id_token });
    const page = await visit.open(request);
    await visit.signIn(page, other);
    const name = await visit.name(page);
    await visit.arrive(page, name);
    assert.notEqual(name, 'client', 'no answer with another person');
    if (name === 'accounts') await visit.press(page, 'another');
    const tokens = await request.tokens(await visit.finish(page, expected));
    assert.equal(tokens.claims.sub, claims.sub);
  },

  'a second account by the chooser': async ({ world, visit }) => {
    const [jane, john] = [await world.person(), await world.person()];
    const first = new Request(world, world.books);
    const janes = await first.tokens((await visit.through(first, jane)).answer);

    const second = new Request(world, world.books, { prompt: 'select_account' });
    const page = await visit.open(second);
    await visit.arrive(page, 'accounts');
    await visit.press(page, 'another');
    await visit.signIn(page, john);
    const johns = await second.tokens(await visit.finish(page, john));
    assert.notEqual(johns.claims.sub, janes.claims.sub);

    const third = new Request(world, world.books, { prompt: 'select_account' });
    const chooser = await visit.open(third);
    await visit.arrive(chooser, 'accounts');
    assert.equal(await chooser.locator('button[name="account"]').count(), 2);
    await chooser.locator('button[name="account"]', { hasText: new RegExp(`${jane.username}\\b|${jane.name}`) }).click();
    await chooser.waitForLoadState();
    assert.equal((await third.tokens(await visit.finish(chooser, jane))).claims.sub, janes.claims.sub);
  },

  'ui_locales=de': async ({ world, visit }) => {
    const page = await visit.open(new Request(world, world.books, { ui_locales: 'de' }));
    await visit.arrive(page, 'login');
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    assert.match(await page.locator('main').textContent(), /Passwort/);
    await visit.signIn(page, await world.person());
    await visit.arrive(page, 'consent');
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    assert.match(await page.locator('main').textContent(), /Erlauben|Zulassen/);
  },

  'the language of the browser': async ({ world, begin }) => {
    const visit = await begin({ locale: 'de-AT' });
    const page = await visit.open(`${world.issuer}/authorize?client_id=nobody`);
    await visit.arrive(page, 'error');
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  },

  '320 px': async ({ world, begin }) => {
    const visit = await begin({ viewport: { width: 320, height: 568 } });
    const person = await world.person();
    const request = new Request(world, world.books, { scope: 'openid profile email address phone offline_access' });
    const page = await visit.open(request);
    await visit.signIn(page, { ...person, password: 'not the password' });
    await request.tokens(await visit.finish(page, person));
    const chooser = await visit.open(new Request(world, world.books, { prompt: 'select_account' }));
    await visit.arrive(chooser, 'accounts');
    await visit.arrive(await visit.open(`${world.issuer}/authorize`), 'error');
  },

  'by keyboard alone': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.arrive(page, 'login');
    await visit.tabTo(page, 'input[name="username"]');
    await page.keyboard.type(person.username);
    await visit.tabTo(page, 'input[name="password"]');
    await page.keyboard.type(person.password);
    await page.keyboard.press('Enter');
    await visit.arrive(page, 'consent');
    await visit.tabTo(page, 'button[value="allow"]');
    await page.keyboard.press('Enter');
    await request.tokens(await visit.answer(page));
  },

  'form_post to another site (A11)': async ({ world, visit }) => {
    const request = new Request(world, world.books, { response_mode: 'form_post' });
    const page = await visit.open(request);
    await visit.signIn(page, await world.person());
    await visit.allow(page);
    if (!visit.scripts) {
      await visit.arrive(page, 'form_post');
      await page.locator('button').click();
    }
    await request.tokens(await visit.answer(page));
    assert.equal(await page.locator('#by').textContent(), 'POST');
  },

  'form_post of an error to another site (A11)': async ({ world, visit }) => {
    const request = new Request(world, world.books, { response_mode: 'form_post', prompt: 'none' });
    const page = await visit.open(request);
    if (!visit.scripts) await page.locator('button').click();
    request.refused(await visit.answer(page), 'login_required');
  },

  'a POST authorization request from another site (A11)': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await request.tokens(await visit.finish(page, await world.person()));
    const posted = new Request(world, world.books);
    await posted.tokens(await visit.answer(await post(world, visit, posted)));
  },

  'a POST authorization request of an unknown browser (A11)': async ({ world, visit }) => {
    const posted = new Request(world, world.books);
    const page = await post(world, visit, posted);
    await posted.tokens(await visit.finish(page, await world.person()));
  },

  'a POST authorization request too large for an address (A11)': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await request.tokens(await visit.finish(page, await world.person()));
    const posted = new Request(world, world.books, { state: '<"&>'.repeat(950), response_mode: 'form_post' });
    const form = await post(world, visit, posted);
    for (let press = 0; press < 2 && !visit.scripts; press += 1) {
      if (!form.url().startsWith(world.site.origin)) await form.locator('button').click();
    }
    await posted.tokens(await visit.answer(form));
  },

  // `form.submit` is the field of that name when there is one: the page's script must not call it.
  'a POST authorization request with fields called submit and forms (A11)': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await request.tokens(await visit.finish(page, await world.person()));
    const names = { submit: '1', forms: '1', action: '1', method: 'get', requestSubmit: '1' };
    const posted = new Request(world, world.books, { ...names, state: '<"&>'.repeat(950) });
    const form = await post(world, visit, posted);
    if (!visit.scripts) await form.locator('button').click();
    await posted.tokens(await visit.answer(form));
  },
};

async function signsInAgain({ world, visit }, parameters) {
  const person = await world.person();
  const request = new Request(world, world.books, { max_age: '15000' });
  const first = await request.tokens((await visit.through(request, person)).answer);
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  const again = new Request(world, world.books, parameters);
  const page = await visit.open(again);
  await visit.arrive(page, 'login');
  const second = await again.tokens(await visit.finish(page, person));
  assert.ok(second.claims.auth_time > first.claims.auth_time);
  assert.equal(second.claims.sub, first.claims.sub);
}

/** The client's site sends the request as a form. */
async function post(world, visit, request) {
  const page = await visit.open(world.site.form(`${world.issuer}/authorize`, request.parameters));
  await page.locator('button').click();
  await page.waitForLoadState();
  return page;
}
