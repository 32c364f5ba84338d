// Logout: the page of frames, and the frame in which a client's page asks whether the person is still signed in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Request } from './visit.mjs';

const HOME = 'main[data-page="client-home"]';

export const tests = {
  'a logout loads the frame of the client and goes on': async ({ world, visit }) => {
    const page = await leaving(world, visit, world.photos);
    // The policy of the page admits the frame; then the page goes on by itself, at once also where no script runs.
    await page.locator(HOME).waitFor();
    assert.equal(page.url(), `${world.site.origin}/goodbye?state=tide`);
    const told = world.site.frames().filter(({ iss, sid }) => iss === world.issuer && sid === visit.sid);
    assert.equal(told.length, 1, 'the client was told once');
  },

  'a frame that hangs does not keep the person': async ({ world, visit }) => {
    const page = await leaving(world, visit, world.stuck);
    const began = Date.now();
    // Without scripts nothing goes on before everything has been loaded, but for the person.
    if (!visit.scripts) {
      await visit.arrive(page, 'logout-frames');
      assert.match(await page.locator('main').textContent(), /If nothing happens/);
      await page.locator('#continue').click();
    }
    await page.locator(HOME).waitFor();
    assert.ok(Date.now() - began < 9_000);
    assert.ok(page.url().startsWith(`${world.site.origin}/goodbye`));
  },

  'the page of frames at 320 px, by keyboard, in both schemes and languages': async ({ world, begin }) => {
    for (const options of [{ colorScheme: 'dark' }, { locale: 'de' }]) {
      const visit = await begin({ ...options, viewport: { width: 320, height: 568 } });
      const page = await leaving(world, visit, world.stuck);
      await visit.arrive(page, 'logout-frames');
      for (let press = 0; press < 5; press += 1) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(() => document.activeElement?.id === 'continue')) break;
      }
      await page.keyboard.press('Enter');
      await page.locator(HOME).waitFor();
    }
  },
};

/** Tests of what runs in the browser alone. */
export const scripted = {
  'the frame of the session management computes what the server does': async ({ world, visit }) => {
    const request = new Request(world, world.books);
    const { answer } = await visit.through(request, await world.person());
    const page = await visit.open(world.neighbour.origin);
    const message = async (text, origin) => ask(page, await endpoint(world), text, origin);
    const state = (await visit.context.cookies(world.issuer)).find(({ name }) => /^(__Host-)?state-/.test(name)).value;
    const stateOf = (client, salt) => {
      const digest = createHash('sha256').update(`${client} ${world.neighbour.origin} ${state} ${salt}`).digest('hex');
      return `${client} ${digest}.${salt}`;
    };
    // Around the ends of the hash function's blocks of 64 bytes.
    const [clients, salts] = [Array.from({ length: 130 }, (_, n) => `c${'x'.repeat(n)}`), ['a', 'b'.repeat(22)]];
    const messages = clients.flatMap((client) => salts.map((salt) => stateOf(client, salt)));
    messages.push(stateOf('a client with blanks', 'a'), stateOf(` !~"'<>`, 'a'));
    assert.deepEqual(new Set(await message(messages)), new Set(['unchanged']));
    const foreign = [`books ${answer.session_state}`, `${messages[0]}x`, messages[0].replace(' ', '  '), 'a b', 'a .'];
    assert.deepEqual(await message(foreign), foreign.map(() => 'changed'), 'of another origin, or altered');
    const malformed = ['', ' ', 'a', 'a ', ' a', 'books\tx.y', 'bücher x.y', `a ${'x'.repeat(3000)}`, null, 7, {}, ['a b']];
    assert.deepEqual(await message(malformed), malformed.map(() => 'error'));
    await visit.context.clearCookies();
    assert.deepEqual(await message([messages[0]]), ['changed'], 'the cookie is read each time');
  },

  'the frame of the session management answers no page without an origin': async ({ world, visit }) => {
    const page = await visit.open(world.neighbour.origin);
    const answers = await page.evaluate(async (source) => {
      const heard = [];
      window.addEventListener('message', ({ data }) => heard.push(data));
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      frame.srcdoc = `<iframe src="${source}" onload="frames[0].postMessage('a b.c', '*'); setTimeout(() => parent.postMessage('over', '*'), 500)"></iframe>
        <script>window.addEventListener('message', ({ data }) => parent.postMessage(data, '*'))</script>`;
      document.body.append(frame);
      while (!heard.includes('over')) await new Promise((resolve) => { setTimeout(resolve, 20); });
      return heard;
    }, await endpoint(world));
    assert.deepEqual(answers, ['over']);
  },
};

async function endpoint(world) {
  const metadata = await (await fetch(`${world.issuer}/.well-known/openid-configuration`)).json();
  return metadata.check_session_iframe;
}

/** A page of a client frames it and sends these messages, one after the other. */
function ask(page, source, messages) {
  return page.evaluate(async ([from, texts]) => {
    const frame = document.createElement('iframe');
    frame.src = from;
    document.body.append(frame);
    await new Promise((resolve) => { frame.onload = resolve; });
    const answers = [];
    for (const text of texts) {
      const answered = new Promise((resolve) => {
        window.addEventListener('message', (event) => {
          if (event.source === frame.contentWindow && event.origin === new URL(from).origin) resolve(event.data);
        }, { once: true });
      });
      frame.contentWindow.postMessage(text, new URL(from).origin);
      answers.push(await answered);
    }
    return answers;
  }, [source, messages]);
}

/** Signs in to the client, and agrees to its logout. */
export async function leaving(world, visit, client) {
  const request = new Request(world, client);
  const { claims } = await request.tokens((await visit.through(request, await world.person())).answer);
  Object.assign(visit, { sid: claims.sid });
  const parameters = new URLSearchParams({
    client_id: client.client_id, post_logout_redirect_uri: client.post_logout_redirect_uris[0], state: 'tide',
  });
  const page = await visit.open(`${world.issuer}/logout?${parameters}`);
  await visit.arrive(page, 'logout-confirm');
  await page.locator('button[name="action"][value="logout"]').click({ noWaitAfter: true });
  return page;
}
