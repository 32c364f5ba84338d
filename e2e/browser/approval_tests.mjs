// What a client asks a person for in the background, whose person decides here (CIBA Core section 8).
import assert from 'node:assert/strict';

const GRANT = 'urn:openid:params:grant-type:ciba';

/** A request of the till that waits for its person. */
export class Asked {
  constructor(world, asked) {
    this.world = world;
    this.asked = asked;
  }

  static async begin(world, person, parameters = {}) {
    const asked = await send(world, '/backchannel', { scope: 'openid email', login_hint: person.username, ...parameters });
    assert.ok(asked.auth_req_id, `a request, and not ${asked.error}`);
    return new Asked(world, asked);
  }

  /** What the till is told when it polls. */
  poll() {
    return send(this.world, '/token', { grant_type: GRANT, auth_req_id: this.asked.auth_req_id });
  }
}

async function send(world, path, parameters) {
  const { client_id, client_secret } = world.till;
  const body = new URLSearchParams({ client_id, client_secret, ...parameters });
  return (await fetch(world.issuer + path, { method: 'POST', body })).json();
}

/** From the list to the request with this message. */
export async function look(visit, page, message) {
  await visit.arrive(page, 'approvals');
  await page.locator('li a', { hasText: message }).click();
  return visit.arrive(page, 'approve');
}

export const tests = {
  'approvals: signed in first, by keyboard, and approved': async ({ world, visit }) => {
    const person = await world.person();
    await world.untilSeen();
    const asked = await Asked.begin(world, person, { binding_message: 'W4SCT' });
    const page = await visit.open(`${world.issuer}/approvals`);
    await visit.arrive(page, 'login');
    assert.ok(!(await page.content()).includes(world.till.client_name), 'nothing is told before');
    await visit.signIn(page, person);
    await visit.arrive(page, 'approvals');
    await visit.tabTo(page, 'li a');
    await page.keyboard.press('Enter');
    await visit.arrive(page, 'approve');
    const words = await page.locator('main').innerText();
    for (const shown of [world.till.client_name, 'W4SCT', person.username, '127.0.0.1']) {
      assert.ok(words.includes(shown), `the page shows ${shown}: ${words}`);
    }
    assert.equal((await asked.poll()).error, 'authorization_pending');
    await visit.tabTo(page, 'button[value="allow"]');
    await page.keyboard.press('Enter');
    await visit.arrive(page, 'approval-done');
    const tokens = await asked.poll();
    assert.ok(tokens.access_token && tokens.id_token, `tokens, and not ${tokens.error}`);
    // The last step once more, as a browser does that goes back.
    await page.reload();
    await visit.arrive(page, 'approval-done');
  },

  'approvals: two at once, one refused, one left and taken up at another device': async ({ world, visit, begin }) => {
    const person = await world.person();
    await world.untilSeen();
    const [one, two] = [
      await Asked.begin(world, person, { binding_message: 'ONE-1' }), await Asked.begin(world, person, { binding_message: 'TWO-2' }),
    ];
    const page = await visit.open(`${world.issuer}/approvals`);
    await visit.signIn(page, person);
    await look(visit, page, 'TWO-2');
    await visit.press(page, 'deny');
    await visit.arrive(page, 'approval-done');
    assert.equal((await two.poll()).error, 'access_denied');
    assert.equal((await one.poll()).error, 'authorization_pending');
    await page.locator('.actions a').click();
    const left = await look(visit, page, 'ONE-1');

    const another = await begin();
    const there = await another.open(left.url());
    await another.arrive(there, 'login');
    await another.signIn(there, person);
    await another.arrive(there, 'approve');
    await another.press(there, 'allow');
    await another.arrive(there, 'approval-done');
    await visit.press(left, 'deny');
    await visit.arrive(left, 'approvals');
    assert.ok((await one.poll()).access_token);
  },

  'approvals: another person, a frame of another site, and a form posted from there': async ({ world, visit, begin }) => {
    const [person, other] = [await world.person(), await world.person()];
    await world.untilSeen();
    const asked = await Asked.begin(world, person, { binding_message: 'W4SCT' });
    const page = await visit.open(`${world.issuer}/approvals`);
    await visit.signIn(page, person);
    await look(visit, page, 'W4SCT');
    const [address, form] = [page.url(), await page.locator('form').innerHTML()];
    const stranger = await begin();
    const theirs = await stranger.open(address);
    await stranger.arrive(theirs, 'login');
    await stranger.signIn(theirs, other);
    await stranger.arrive(theirs, 'approvals');
    assert.ok(!(await theirs.content()).includes('W4SCT'));

    await page.goto(`${world.site.origin}/`);
    await page.setContent(`<iframe src="${address}"></iframe>`);
    await page.waitForTimeout(500);
    assert.equal(await page.frames()[1].locator('main[data-page]').count(), 0, 'the page is not shown in a frame');
    // The browser says so in its console.
    visit.violations.length = 0;
    await page.setContent(`<form method="post" action="${world.issuer}/interaction">${form}</form>`);
    await page.locator('button[value="allow"]').click();
    await visit.arrive(page, 'error');
    assert.equal((await asked.poll()).error, 'authorization_pending');
  },
};
