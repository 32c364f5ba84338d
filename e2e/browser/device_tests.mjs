// Devices without a browser, whose person decides here (RFC 8628).
import assert from 'node:assert/strict';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** A device that waits for its person: the television in the living room. */
export class Device {
  constructor(world, asked) {
    this.world = world;
    this.asked = asked;
  }

  static async begin(world, scope = 'openid profile') {
    const asked = await send(world, '/device_authorization', { scope }, { 'user-agent': 'Television/3.1 (Living room)' });
    return new Device(world, asked);
  }

  /** What the device is told when it polls. */
  poll() {
    return send(this.world, '/token', { grant_type: GRANT, device_code: this.asked.device_code });
  }
}

async function send(world, path, parameters, headers = {}) {
  const body = new URLSearchParams({ client_id: world.television.client_id, ...parameters });
  return (await fetch(world.issuer + path, { method: 'POST', body, headers })).json();
}

/** Types a code, and goes on by the Enter key. */
export async function type(visit, page, code) {
  await visit.arrive(page, 'user-code');
  await page.locator('input[name="user_code"]').fill('');
  await visit.tabTo(page, 'input[name="user_code"]');
  await page.keyboard.type(code);
  await page.keyboard.press('Enter');
  await page.waitForLoadState();
}

const wrong = async (page, words) => assert.match(await page.locator('[role="alert"]').innerText(), words);

export const tests = {
  'device: a wrong code, then the right one in lower case, by keyboard': async ({ world, visit }) => {
    const [device, person] = [await Device.begin(world), await world.person()];
    const page = await visit.open(device.asked.verification_uri);
    await type(visit, page, 'BBBB-BBBB');
    await visit.arrive(page, 'user-code');
    await wrong(page, /No device waits with this code/);
    assert.equal(await page.locator('input[name="user_code"]').inputValue(), 'BBBB-BBBB');
    await type(visit, page, device.asked.user_code.toLowerCase());

    await visit.arrive(page, 'confirm-device');
    const words = await page.locator('main').innerText();
    for (const shown of [world.television.client_name, device.asked.user_code, 'Television/3.1 (Living room)', '127.0.0.1']) {
      assert.ok(words.includes(shown), `the page shows ${shown}`);
    }
    await visit.tabTo(page, 'button[value="confirm"]');
    await page.keyboard.press('Enter');
    await visit.signIn(page, person);
    assert.equal((await device.poll()).error, 'authorization_pending');
    await visit.allow(page);
    await visit.arrive(page, 'device-done');
    const tokens = await device.poll();
    assert.ok(tokens.access_token && tokens.id_token, `tokens, and not ${tokens.error}`);
    // The last step once more, as a browser does that goes back.
    await page.reload();
    await visit.arrive(page, 'device-done');
  },

  'device: a link that fills the code in, left halfway, taken up elsewhere, and refused': async ({ world, visit, begin }) => {
    const [device, person] = [await Device.begin(world), await world.person()];
    const left = await visit.open(device.asked.verification_uri_complete);
    assert.equal(await left.locator('input[name="user_code"]').inputValue(), device.asked.user_code);
    await visit.press(left, 'continue');
    await visit.arrive(left, 'confirm-device');
    await visit.press(left, 'confirm');
    await visit.arrive(left, 'login');

    const another = await begin();
    const page = await another.open(device.asked.verification_uri_complete);
    await another.press(page, 'continue');
    await another.arrive(page, 'confirm-device');
    await another.press(page, 'deny');
    await another.arrive(page, 'device-done');
    assert.match(await page.locator('main').innerText(), /is not connected/);
    assert.equal((await device.poll()).error, 'access_denied');

    await visit.signIn(left, person);
    await visit.arrive(left, 'user-code');
    await wrong(left, /has already been used/);
  },

  'device: its pages in a frame of another site, and posted from there': async ({ world, visit }) => {
    const device = await Device.begin(world);
    const page = await visit.open(`${world.site.origin}/`);
    await page.setContent(`<iframe src="${device.asked.verification_uri_complete}"></iframe>`);
    await page.waitForTimeout(500);
    const framed = page.frames()[1];
    assert.equal(await framed.locator('main[data-page]').count(), 0, 'the page is not shown in a frame');
    // The browser says so in its console.
    visit.violations.length = 0;

    await page.setContent(`<form method="post" action="${device.asked.verification_uri}">
      <input name="user_code" value="${device.asked.user_code}"><button name="action" value="continue">Win</button></form>`);
    await page.locator('button').click();
    await visit.arrive(page, 'error');
    assert.equal((await device.poll()).error, 'authorization_pending');
  },
};
