// The npm package oidc-client-ts, unmodified, in Debian's Chromium: an application without a server.
//
//     node oidc_client_ts.mjs FIXTURE.json
//
// The fixture names the public client `app` and the origins of the sites that serve it: `same` is the issuer's own site
// (another host of the same domain), `other` is not.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { chromium } from 'playwright-core';
import { checksOf, close, expect, fixture } from './fixture.mjs';

const { app, sites } = fixture;
const check = checksOf('oidc-client-ts');
const library = readFileSync(new URL('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url));

/** The application: one page for all its addresses, which leaves what to do to the test, but for the frame's answer. */
const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>App</title><main data-page="client">App</main>
<script src="/oidc-client-ts.js"></script>
<script>
  const settings = JSON.parse(localStorage.settings ?? '{}');
  const manager = new oidc.UserManager({
    authority: ${JSON.stringify(fixture.issuer)},
    client_id: ${JSON.stringify(app.client_id)},
    redirect_uri: location.origin + '/callback',
    silent_redirect_uri: location.origin + '/silent',
    post_logout_redirect_uri: location.origin + '/goodbye',
    scope: 'openid profile email',
    loadUserInfo: true,
    automaticSilentRenew: false,
    ...settings,
  });
  if (location.pathname === '/silent') manager.signinSilentCallback();
</script></html>`;

function serve(origin) {
  const [certificate, key] = fixture.tls.map((file) => readFileSync(file));
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const isLibrary = request.url === '/oidc-client-ts.js';
    response.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isLibrary ? library : page);
  });
  return new Promise((resolve) => server.listen(Number(new URL(origin).port), '127.0.0.1', () => resolve(server)));
}

/** A browser with the application of this site open. */
async function open(site, settings = {}, context = undefined) {
  context ??= await browser.newContext({ ignoreHTTPSErrors: true });
  const tab = await context.newPage();
  tab.setDefaultTimeout(15_000);
  await tab.goto(site);
  await tab.evaluate((values) => { localStorage.settings = JSON.stringify(values); }, settings);
  await tab.goto(site);
  return tab;
}

/** Signs in by redirect and gives back what the application knows of the person. */
async function signIn(tab) {
  await tab.evaluate(() => { manager.signinRedirect(); });
  await tab.locator('main[data-page="login"]').waitFor();
  await tab.locator('input[name="username"]').fill(fixture.username);
  await tab.locator('input[name="password"]').fill(fixture.password);
  await tab.locator('button[name="action"][value="login"]').click();
  // Whoever has agreed before is not asked again.
  await tab.locator('main[data-page="consent"], main[data-page="client"]').waitFor();
  const allow = tab.locator('button[name="action"][value="allow"]');
  if (await allow.count()) await allow.click();
  await tab.waitForURL('**/callback?*');
  return user(tab, 'signinRedirectCallback');
}

/** Has the library act, and tells who is signed in afterwards; or the error of the provider. */
function user(tab, act) {
  return tab.evaluate(async (name) => {
    try {
      const { access_token, id_token, refresh_token, profile, scope } = await manager[name]();
      return { access_token, id_token, refresh_token, profile, scope };
    } catch (error) {
      return { error: error.error ?? error.message };
    }
  }, act);
}

const servers = await Promise.all([serve(sites.same), serve(sites.other)]);
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const args = ['--no-sandbox', '--host-resolver-rules=MAP *.example.org 127.0.0.1, MAP *.example.net 127.0.0.1'];
const browser = await chromium.launch({ executablePath, args });

for (const [name, site] of Object.entries(sites)) {
  await check(`login from ${name === 'same' ? 'the same' : 'another'} site, with UserInfo`, async () => {
    const seen = await signIn(await open(site));
    expect(!seen.error, seen.error);
    expect(seen.profile.email && !seen.refresh_token, 'the claims of the scopes, and no refresh token');
    return browser.version();
  });
}

await check('silent renew in a frame, on the same site', async () => {
  const tab = await open(sites.same);
  const before = await signIn(tab);
  const after = await user(tab, 'signinSilent');
  expect(!after.error, after.error);
  expect(after.access_token !== before.access_token, 'another access token');
  expect(after.profile.sub === before.profile.sub, 'of the same person');
  expect(after.profile.auth_time === before.profile.auth_time, 'who has not signed in again');
});

await check('login_required in a frame, from another site', async () => {
  const tab = await open(sites.other);
  expect((await signIn(tab)).access_token, 'signed in');
  const { error } = await user(tab, 'signinSilent');
  expect(error === 'login_required', `login_required and not ${error}`);
});

await check('login_required in a frame, for a stranger', async () => {
  const { error } = await user(await open(sites.same), 'signinSilent');
  expect(error === 'login_required', `login_required and not ${error}`);
});

for (const [name, site] of Object.entries(sites)) {
  await check(`silent renew by refresh token, from ${name === 'same' ? 'the same' : 'another'} site`, async () => {
    const tab = await open(site, { scope: 'openid offline_access' });
    const before = await signIn(tab);
    expect(before.refresh_token, 'there is a refresh token');
    const after = await user(tab, 'signinSilent');
    expect(after.access_token !== before.access_token, 'another access token');
    expect(after.refresh_token !== before.refresh_token, 'a successor');
    await tab.evaluate(() => manager.revokeTokens(['access_token', 'refresh_token']));
    const { error } = await tab.evaluate(async (refresh_token) => {
      const user = await manager.getUser();
      await manager.storeUser(Object.assign(user, { refresh_token }));
      return manager.signinSilent().catch(({ error }) => ({ error }));
    }, after.refresh_token);
    expect(error === 'invalid_grant', 'refused afterwards');
  });
}

await check('logout, and back at the application', async () => {
  const tab = await open(sites.same);
  expect((await signIn(tab)).access_token, 'signed in');
  await tab.evaluate(() => { manager.signoutRedirect({ state: 'of the application' }); });
  await tab.waitForURL('**/goodbye?*');
  const { userState } = await tab.evaluate(() => manager.signoutRedirectCallback());
  expect(userState === 'of the application', 'the answer is of this logout');
  expect((await user(tab, 'signinSilent')).error === 'login_required', 'nobody is signed in');
});

/** Signs in with session monitoring, and gives back the tab when the frame has answered so often. */
async function monitored(context, site, answers) {
  const tab = await open(site, { monitorSession: true, checkSessionIntervalInSeconds: 1 }, context);
  await tab.addInitScript(() => {
    window.addEventListener('message', ({ data }) => { if (typeof data === 'string') (window.said ??= []).push(data); });
  });
  const signedIn = await signIn(tab);
  expect(!signedIn.error, signedIn.error);
  await tab.evaluate(() => manager.events.addUserSignedOut(() => { window.isSignedOut = true; }));
  await tab.waitForFunction((wanted) => window.said?.length >= wanted, answers);
  return tab;
}

/** What the frame has said, each word once. */
const said = (tab) => tab.evaluate(() => [...new Set(window.said)].join());

async function signOutElsewhere(tab) {
  const elsewhere = await tab.context().newPage();
  await elsewhere.goto(`${fixture.issuer}/logout`);
  await elsewhere.locator('button[name="action"][value="logout"]').click();
  await elsewhere.locator('main[data-page="logout-done"]').waitFor();
}

// A person who lets frames of other sites have their cookies; Chromium's default here is not to.
const profile = mkdtempSync(`${tmpdir()}/chancery-profile-`);
mkdirSync(`${profile}/Default`);
writeFileSync(`${profile}/Default/Preferences`, JSON.stringify({ profile: { cookie_controls_mode: 0 } }));
const kept = await chromium.launchPersistentContext(profile, { executablePath, args, ignoreHTTPSErrors: true });
for (const [name, site] of Object.entries(sites)) {
  await check(`session monitoring from ${name === 'same' ? 'the same' : 'another'} site`, async () => {
    const tab = await monitored(kept, site, 3);
    expect(await said(tab) === 'unchanged', `unchanged and not ${await said(tab)}`);
    expect(!await tab.evaluate(() => window.isSignedOut), 'nothing has happened yet');
    await signOutElsewhere(tab);
    await tab.waitForFunction(() => window.isSignedOut);
    await tab.close();
    return 'changed after a logout in another tab';
  });
}
await kept.close();
rmSync(profile, { recursive: true, force: true });

await check('session monitoring where the frame has no cookies: nobody is signed out by mistake', async () => {
  const tab = await monitored(await browser.newContext({ ignoreHTTPSErrors: true }), sites.other, 1);
  expect(await said(tab) === 'error', `error and not ${await said(tab)}`);
  await signOutElsewhere(tab);
  await tab.waitForTimeout(2_500);
  expect(!await tab.evaluate(() => window.isSignedOut), 'the library was told to do nothing');
});

await browser.close();
servers.forEach((server) => server.close());
close();
