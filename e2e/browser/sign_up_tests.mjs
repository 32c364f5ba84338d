// People make accounts for themselves (Initiating User Registration via OpenID Connect 1.0).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Request } from './visit.mjs';

export const tests = {
  'sign-up: from the login page by keyboard, a taken name, then a new one': async ({ world, visit }) => {
    const [taken, person] = [await world.person(), newcomer(world)];
    const request = new Request(world, world.books);
    const page = await visit.open(request);
    await visit.arrive(page, 'login');
    // The fields may stay empty.
    await pressByKeyboard(visit, page, 'create');
    await visit.arrive(page, 'sign-up');
    assert.equal(await page.locator('[role="alert"]').count(), 0);
    await fill(visit, page, taken.username, person.password);

    await page.locator('[role="alert"]').waitFor();
    await visit.arrive(page, 'sign-up');
    assert.match(await page.locator('[role="alert"]').innerText(), /Somebody has this username already/);
    const username = page.locator('input[name="username"]');
    assert.equal(await username.inputValue(), taken.username);
    assert.equal(await username.getAttribute('aria-invalid'), 'true');
    assert.equal(await page.locator('input[name="password"]').inputValue(), '');
    assert.deepEqual(await visit.sessions(), [], 'nobody is signed in');

    await username.press('ControlOrMeta+a');
    await fill(visit, page, person.username, person.password);
    await visit.arrive(page, 'consent');
    assert.ok((await page.locator('main').innerText()).includes(person.username));
    await pressByKeyboard(visit, page, 'allow');
    const { claims } = await request.tokens(await visit.answer(page));
    assert.deepEqual(claims.amr, ['pwd']);

    // The account is there afterwards, also in another browser.
    const silent = new Request(world, world.books, { prompt: 'none' });
    assert.equal((await silent.tokens(await visit.answer(await visit.open(silent)))).claims.sub, claims.sub);
    await world.untilSeen();
    await visit.context.clearCookies();
    const later = new Request(world, world.books);
    assert.equal((await later.tokens((await visit.through(later, person)).answer)).claims.sub, claims.sub);
  },

  'sign-up: prompt=create, a short password, and back to the login': async ({ world, visit }) => {
    const [known, person] = [await world.person(), newcomer(world)];
    const request = new Request(world, world.books, { prompt: 'create' });
    const page = await visit.open(request);
    await visit.arrive(page, 'sign-up');
    await page.locator('input[name="username"]').fill(person.username);
    await page.locator('input[name="password"]').fill('short');
    await visit.press(page, 'create');
    await page.locator('[role="alert"]').waitFor();
    await visit.arrive(page, 'sign-up');
    assert.match(await page.locator('[role="alert"]').innerText(), /at least \d+ characters/);
    assert.equal(await page.locator('input[name="username"]').inputValue(), person.username);
    assert.equal(await page.locator('input[name="password"]').getAttribute('aria-invalid'), 'true');
    await visit.press(page, 'login');
    await visit.signIn(page, known);
    await visit.allow(page);
    await request.tokens(await visit.answer(page));

    // Who says no tells the client so.
    const declined = new Request(world, world.books, { prompt: 'create' });
    const other = await visit.open(declined);
    await visit.arrive(other, 'sign-up');
    await visit.press(other, 'cancel');
    declined.refused(await visit.answer(other), 'access_denied');
  },

  'sign-up: at 320 px, in both schemes and languages': async ({ world, begin }) => {
    for (const options of [{ colorScheme: 'dark' }, { locale: 'de' }]) {
      const visit = await begin({ ...options, viewport: { width: 320, height: 568 } });
      const person = newcomer(world);
      const request = new Request(world, world.books, { prompt: 'create' });
      const page = await visit.open(request);
      await visit.arrive(page, 'sign-up');
      // Also with a problem.
      await page.locator('input[name="username"]').fill(person.username);
      await page.locator('input[name="password"]').fill('short');
      await visit.press(page, 'create');
      await page.locator('[role="alert"]').waitFor();
      await visit.arrive(page, 'sign-up');
      await page.locator('input[name="password"]').fill(person.password);
      await visit.press(page, 'create');
      await visit.allow(page);
      await request.tokens(await visit.answer(page));
    }
  },

  'sign-up: cookies deleted between form and submit': async ({ world, visit }) => {
    const person = newcomer(world);
    const request = new Request(world, world.books, { prompt: 'create' });
    const page = await visit.open(request);
    await visit.arrive(page, 'sign-up');
    await visit.context.clearCookies();
    await fill(visit, page, person.username, person.password);
    await page.locator('[role="alert"]').waitFor();
    await visit.arrive(page, 'sign-up');
    assert.deepEqual(await visit.sessions(), [], 'nobody is signed in');
    await fill(visit, page, person.username, person.password);
    await visit.allow(page);
    await request.tokens(await visit.answer(page));
  },
};

/** A person who has no account yet. */
function newcomer(world) {
  return { username: `newcomer-${randomBytes(6).toString('hex')}`, password: world.password() };
}

/** Types name and password with the keyboard alone, and sends them by the Enter key. */
async function fill(visit, page, username, password) {
  await visit.tabTo(page, 'input[name="username"]');
  await page.keyboard.type(username);
  await visit.tabTo(page, 'input[name="password"]');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.waitForLoadState();
}

async function pressByKeyboard(visit, page, action) {
  await visit.tabTo(page, `button[name="action"][value="${action}"]`);
  await page.keyboard.press('Enter');
  await page.waitForLoadState();
}
