// What a person has here, seen and ended by them, and a new password, on the pages below `/account`.
import assert from 'node:assert/strict';
import { Request } from './visit.mjs';

/** The page of the account, in a browser in which the person signs in for it. */
async function arrive(world, visit, person) {
  const page = await visit.open(`${world.issuer}/account`);
  await visit.signIn(page, person);
  return visit.arrive(page, 'account');
}

const sessions = (page) => page.getByRole('list').and(page.locator('[aria-labelledby="sessions"]')).getByRole('listitem');
const applications = (page) => page.getByRole('list').and(page.locator('[aria-labelledby="applications"]')).locator('> li');

/** Follows a link, and says yes on the page that asks once more. */
async function end(visit, page, link) {
  await link.click();
  await visit.arrive(page, 'confirm-end');
  await visit.press(page, 'end');
  await visit.arrive(page, 'account');
  assert.ok(await page.getByRole('status').isVisible(), 'the page says what was done');
}

/** Is somebody signed in in this browser? */
async function isSignedIn(world, visit) {
  const silent = new Request(world, world.books, { prompt: 'none' });
  const answer = await visit.answer(await visit.open(silent));
  assert.ok(answer.code || answer.error === 'login_required', answer.error);
  return Boolean(answer.code);
}

async function signedInElsewhere(world, begin, person) {
  const visit = await begin();
  const request = new Request(world, world.books);
  await request.tokens((await visit.through(request, person)).answer);
  return visit;
}

async function change(visit, page, [current, password, again]) {
  await visit.arrive(page, 'change-password');
  for (const [name, value] of Object.entries({ current, new: password, again })) await page.locator(`input[name="${name}"]`).fill(value);
  await page.locator('input[name="again"]').press('Enter');
  await page.waitForLoadState();
}

export const tests = {
  'account: one session is ended, and then all others': async ({ world, visit, begin }) => {
    const person = await world.person();
    const others = [await signedInElsewhere(world, begin, person), await signedInElsewhere(world, begin, person)];
    const page = await arrive(world, visit, person);
    assert.equal(await sessions(page).count(), 3);
    assert.equal(await sessions(page).getByRole('link').count(), 2, 'the session of this browser has no link of its own');

    await end(visit, page, sessions(page).getByRole('link').first());
    assert.equal(await sessions(page).count(), 2);
    const left = [];
    for (const other of others) left.push(await isSignedIn(world, other));
    assert.equal(left.filter(Boolean).length, 1, 'one of the two has ended');

    await end(visit, page, page.locator('a[href$="/account/sessions"]'));
    assert.equal(await sessions(page).count(), 1);
    for (const other of others) assert.equal(await isSignedIn(world, other), false);
    assert.ok(await isSignedIn(world, visit));
  },

  'account: nothing is ended by somebody who goes back': async ({ world, visit, begin }) => {
    const person = await world.person();
    const other = await signedInElsewhere(world, begin, person);
    const page = await arrive(world, visit, person);
    await sessions(page).getByRole('link').click();
    await visit.arrive(page, 'confirm-end');
    await page.locator('.actions a').click();
    await visit.arrive(page, 'account');
    assert.equal(await sessions(page).count(), 2);
    assert.ok(await isSignedIn(world, other));
  },

  'account: an application is withdrawn': async ({ world, visit }) => {
    const person = await world.person();
    const request = new Request(world, world.books, { scope: 'openid email offline_access' });
    const { refresh_token } = await request.tokens((await visit.through(request, person)).answer);
    const page = await visit.open(`${world.issuer}/account`);
    await visit.arrive(page, 'account');
    assert.match(await applications(page).innerText(), /Lantern Books/);
    await applications(page).locator('summary').click();
    assert.match(await applications(page).innerText(), /e-?mail address/);
    await end(visit, page, applications(page).locator('a[href*="client_id=books"]'));
    assert.equal(await applications(page).count(), 0);

    const { client_id, client_secret } = world.books;
    const refused = await fetch(`${world.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token }),
    });
    assert.equal((await refused.json()).error, 'invalid_grant');
    const silent = new Request(world, world.books, { prompt: 'none' });
    silent.refused(await visit.answer(await visit.open(silent)), 'consent_required');
  },

  'account: the password is changed, after three slips': async ({ world, visit, begin }) => {
    const person = await world.person();
    const other = await signedInElsewhere(world, begin, person);
    const page = await arrive(world, visit, person);
    await page.locator('a[href$="/account/password"]').click();
    const [old, fresh] = [person.password, world.password()];
    for (const slip of [['not the password', fresh, fresh], [old, fresh, `${fresh} `], [old, 'short', 'short']]) {
      await change(visit, page, slip);
      await page.getByRole('alert').waitFor();
      for (const field of await page.locator('input[type="password"]').all()) assert.equal(await field.inputValue(), '');
    }
    assert.ok(await isSignedIn(world, other), 'a slip ends nothing');
    await change(visit, page, [old, fresh, fresh]);
    await visit.arrive(page, 'account');
    assert.ok(await page.getByRole('status').isVisible());
    assert.equal(await sessions(page).count(), 1);
    assert.equal(await isSignedIn(world, other), false);
    assert.ok(await isSignedIn(world, visit));

    const later = await begin();
    const again = await later.open(new Request(world, world.books));
    await later.signIn(again, person);
    await later.arrive(again, 'login');
    assert.ok(await again.getByRole('alert').isVisible(), 'the old password is none any more');
    person.password = fresh;
    await later.finish(again, person);
  },

  'account: the password is changed, and others stay signed in': async ({ world, visit, begin }) => {
    const person = await world.person();
    const other = await signedInElsewhere(world, begin, person);
    const page = await arrive(world, visit, person);
    await page.locator('a[href$="/account/password"]').click();
    await page.locator('input[name="keeps_others"]').check();
    const fresh = world.password();
    await change(visit, page, [person.password, fresh, fresh]);
    await visit.arrive(page, 'account');
    assert.ok(await isSignedIn(world, other));
  },

  'account: a session shows the time of the browser that looks, and what it is used for': async ({ world, begin }) => {
    const person = await world.person();
    await signedInElsewhere(world, begin, person);
    const looks = { locale: 'de-AT', timezoneId: 'Pacific/Kiritimati' };
    for (const javaScriptEnabled of [true, false]) {
      const visit = await begin({ ...looks, javaScriptEnabled });
      const page = await arrive(world, visit, person);
      const other = sessions(page).filter({ hasText: 'Genutzt für' });
      assert.deepEqual(await other.locator('.app bdi').allInnerTexts(), [world.books.client_name]);
      const time = other.locator('time');
      const at = new Date(await time.getAttribute('datetime'));
      assert.ok(Math.abs(Date.now() - at) < 300_000, `${at}`);
      const utc = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
      // The clocks of Kiritimati are fourteen hours ahead.
      const there = new Date(at.getTime() + 14 * 3_600_000).toISOString();
      const [, year, month, day, hour] = there.match(/(\d+)-(\d+)-(\d+)T(\d+:\d+)/);
      assert.equal(await time.innerText(), javaScriptEnabled ? `${day}.${month}.${year}, ${hour}` : utc);
      assert.equal(await time.getAttribute('title'), javaScriptEnabled ? utc : null);
    }
  },

  'account: the language is chosen, and stays': async ({ world, visit }) => {
    const page = await arrive(world, visit, await world.person());
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    await page.locator('footer [lang="de"]').click();
    await visit.arrive(page, 'account');
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    await page.locator('a[href$="/account/password"]').click();
    await visit.arrive(page, 'change-password');
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    const elsewhere = await visit.open(new Request(world, world.mail, { prompt: 'login' }));
    await visit.arrive(elsewhere, 'login');
    assert.equal(await elsewhere.locator('html').getAttribute('lang'), 'de');
  },

  'account: by keyboard, from the list to the end of a session and out': async ({ world, visit, begin }) => {
    const person = await world.person();
    const other = await signedInElsewhere(world, begin, person);
    const page = await arrive(world, visit, person);
    await visit.tabTo(page, '[aria-labelledby="sessions"] a');
    await page.keyboard.press('Enter');
    await visit.arrive(page, 'confirm-end');
    await visit.tabTo(page, 'button[value="end"]');
    await page.keyboard.press('Enter');
    await visit.arrive(page, 'account');
    assert.equal(await isSignedIn(world, other), false);
    await visit.tabTo(page, 'a[href$="/logout"]');
    await page.keyboard.press('Enter');
    await visit.arrive(page, 'logout-confirm');
    await visit.tabTo(page, 'button[value="logout"]');
    await page.keyboard.press('Enter');
    await visit.arrive(page, 'logout-done');
    assert.equal(await isSignedIn(world, visit), false);
  },
};
