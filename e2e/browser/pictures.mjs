// Pictures of all pages, for docs/pages: taken by hand with `run --pictures ../../docs/pages`.
import { Asked, look } from './approval_tests.mjs';
import { Device, type } from './device_tests.mjs';
import { leaving as framesOf } from './logout_tests.mjs';
import { Request, Visit } from './visit.mjs';

const DESK = { width: 880, height: 760 };
const PHONE = { width: 320, height: 640 };

/**
 * Takes a picture of each page, in both schemes, both languages and both sizes. Where people may make accounts, it is
 * the page for that.
 */
export async function takePictures(world, folder) {
  const people = [await world.person('Jane Doe', 'jane.doe'), await world.person('John Smith', 'john.smith')];
  for (const take of world.sign_up ? [signUp] : [round, connect, approve]) {
    await take(world, folder, '', people, { viewport: DESK });
    await take(world, folder, '-dark', people, { viewport: DESK, colorScheme: 'dark' });
    await take(world, folder, '-320', people, { viewport: PHONE });
    await take(world, folder, '-de', people, { viewport: DESK, locale: 'de' });
  }
  for (const take of world.sign_up ? [signUp] : [connect, approve]) {
    await take(world, folder, '-de-320', people, { viewport: PHONE, locale: 'de', colorScheme: 'dark' });
  }
}

/** The page on which people make accounts, as it comes first and with a password that is too short. */
async function signUp(world, folder, suffix, [jane], options) {
  const visit = await Visit.begin(world, { ...options, javaScriptEnabled: false });
  const take = async (page, file) => {
    await visit.arrive(page, 'sign-up');
    await page.screenshot({ path: `${folder}/${file}${suffix}.png`, fullPage: true });
  };
  const page = await visit.open(new Request(world, world.books, { prompt: 'create' }));
  await take(page, 'sign-up');
  await page.locator('input[name="username"]').fill(`new.${jane.username}`);
  await page.locator('input[name="password"]').fill('short');
  await visit.press(page, 'create');
  await page.locator('[role="alert"]').waitFor();
  await take(page, 'sign-up-wrong');
  await visit.end();
}

async function round(world, folder, suffix, [jane, john], options) {
  const visit = await Visit.begin(world, { ...options, javaScriptEnabled: false });
  const take = async (page, name, file = name) => {
    await visit.arrive(page, name);
    await page.screenshot({ path: `${folder}/${file}${suffix}.png`, fullPage: true });
  };
  const wide = { scope: 'openid profile email offline_access', prompt: 'consent' };
  const page = await visit.open(new Request(world, world.books, wide));
  await take(page, 'login');
  await visit.signIn(page, { ...jane, password: 'not the password' });
  await take(page, 'login', 'login-wrong');
  await visit.signIn(page, jane);
  await take(page, 'consent');
  const address = page.url();
  await visit.press(page, 'allow');
  await visit.answer(page);
  await page.goto(address);
  await take(page, 'signed-in');

  const apis = { scope: 'openid albums.read albums.write prints.order', resource: world.apis, prompt: 'consent' };
  await take(await visit.open(new Request(world, world.books, apis)), 'consent', 'consent-apis');

  const more = await visit.open(new Request(world, world.mail, { prompt: 'login' }));
  await visit.finish(more, john);
  const chooser = await visit.open(new Request(world, world.mail, { prompt: 'select_account' }));
  await take(chooser, 'accounts');
  await take(await visit.open(`${world.issuer}/authorize?client_id=unknown`), 'error');
  const leaving = await visit.open(`${world.issuer}/logout?client_id=${world.books.client_id}`);
  await take(leaving, 'logout-confirm');
  await take(await visit.open(new Request(world, world.books, { prompt: 'none', scope: 'openid', response_mode: 'form_post' })), 'form_post');
  await take(await visit.open(new Request(world, world.chat, { prompt: 'none', response_mode: 'web_message' })), 'web_message');
  await visit.press(leaving, 'logout_all');
  await take(leaving, 'logout-done');
  const frames = await framesOf(world, visit, world.stuck);
  await take(frames, 'logout-frames');
  await visit.end();
}

/** A device, and its person, who is not signed in and has agreed to nothing yet. */
async function connect(world, folder, suffix, _, options) {
  const visit = await Visit.begin(world, { ...options, javaScriptEnabled: false });
  const take = async (page, name, file = name) => {
    await visit.arrive(page, name);
    await page.screenshot({ path: `${folder}/${file}${suffix}.png`, fullPage: true });
  };
  const device = await Device.begin(world);
  const page = await visit.open(device.asked.verification_uri_complete);
  await take(page, 'user-code');
  await type(visit, page, 'BBBB-BBBB');
  await page.locator('[role="alert"]').waitFor();
  await take(page, 'user-code', 'user-code-wrong');
  await type(visit, page, device.asked.user_code);
  await take(page, 'confirm-device');
  await visit.press(page, 'confirm');
  await visit.signIn(page, await world.person('Jane Doe'));
  await visit.allow(page);
  await take(page, 'device-done');
  await visit.end();
}

/** What a till has asked a person for, who is not signed in. */
async function approve(world, folder, suffix, _, options) {
  const visit = await Visit.begin(world, { ...options, javaScriptEnabled: false });
  const take = async (page, name, file = name) => {
    await visit.arrive(page, name);
    await page.screenshot({ path: `${folder}/${file}${suffix}.png`, fullPage: true });
  };
  const person = await world.person('Jane Doe');
  await world.untilSeen();
  await Asked.begin(world, person, { binding_message: 'W4SCT' });
  await Asked.begin(world, person, { binding_message: 'Pay 12.50 EUR, order 4711', scope: 'openid profile offline_access' });
  const page = await visit.open(`${world.issuer}/approvals`);
  await visit.signIn(page, person);
  await take(page, 'approvals');
  await look(visit, page, 'W4SCT');
  await take(page, 'approve');
  const address = page.url();
  await visit.press(page, 'allow');
  await take(page, 'approval-done');
  await page.goto(address);
  await take(page, 'approvals', 'approvals-decided');
  await visit.end();
}
