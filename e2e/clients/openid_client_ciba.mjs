// The npm package openid-client, unmodified: clients that ask a person who is at another device (CIBA Core), and poll.
//
//     node openid_client_ciba.mjs FIXTURE.json
import { setTimeout } from 'node:timers/promises';
import * as client from 'openid-client';
import { checksOf, close, decideAll, expect, fixture } from './fixture.mjs';
import { execute, refusal } from './openid_client_login.mjs';

const GRANT = 'urn:openid:params:grant-type:ciba';
const check = checksOf('openid-client');
const [of, other] = await Promise.all(fixture.clients.map(({ client_id, client_secret }) =>
  client.discovery(new URL(fixture.issuer), client_id, client_secret, undefined, { execute })));

const asked = { scope: 'openid profile email offline_access', login_hint: fixture.username, binding_message: '1234' };
const ask = (more = {}, config = of) => client.initiateBackchannelAuthentication(config, { ...asked, ...more });
const poll = (answer, config = of) => client.pollBackchannelAuthenticationGrant(config, answer);

/** The person presses this button while the client polls. */
async function decided(answer, action, config = of) {
  const outcome = poll(answer, config);
  outcome.catch(() => {}); // whoever awaits it hears it
  const count = await decideAll(action);
  expect(count === 1, `one request waits, and not ${count}`);
  return outcome;
}

let idToken;
await check('a request that is allowed: tokens, UserInfo, refresh', async () => {
  const answer = await ask();
  const tokens = await decided(answer, 'allow');
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(of, tokens.access_token, claims.sub);
  expect(userinfo.sub === claims.sub && claims.auth_time, 'UserInfo is of the person who was asked');
  const fresh = await client.refreshTokenGrant(of, tokens.refresh_token);
  expect(fresh.access_token !== tokens.access_token, 'another access token');
  expect(await refusal(poll(answer)) === 'invalid_grant', 'the request is good once');
  idToken = tokens.id_token;
  return `expires_in ${answer.expires_in}, interval ${answer.interval}`;
});

await check('the person is named by an ID token', async () => {
  const tokens = await decided(await ask({ login_hint: '', id_token_hint: idToken }), 'allow');
  expect(tokens.claims().sub, 'an ID token');
});

await check('a request that is denied: access_denied', async () => {
  const seen = await refusal(decided(await ask(), 'deny'));
  expect(seen === 'access_denied', `refused with access_denied and not ${seen}`);
});

await check('a request that nobody decides: expired_token', async () => {
  const answer = await ask({ requested_expiry: '1' });
  expect(answer.expires_in === 1, `for 1 s, and not ${answer.expires_in}`);
  await setTimeout(1500);
  const seen = await refusal(client.genericGrantRequest(of, GRANT, { auth_req_id: answer.auth_req_id }));
  expect(seen === 'expired_token', `refused with expired_token and not ${seen}`);
});

await check("another client's request: invalid_grant", async () => {
  const answer = await ask();
  const seen = await refusal(poll(answer, other));
  expect(seen === 'invalid_grant', `refused with invalid_grant and not ${seen}`);
  await decided(answer, 'allow');
});

for (const [name, wanted, more] of [
  ['no hint', 'invalid_request', { login_hint: '' }],
  ['two hints', 'invalid_request', { id_token_hint: idToken ?? 'x' }],
  ['a hint that names nobody', 'unknown_user_id', { login_hint: 'nobody-of-this-name' }],
  ['an ID token that nobody has issued', 'invalid_request', { login_hint: '', id_token_hint: 'x.y.z' }],
  ['no scope openid', 'invalid_request', { scope: 'profile' }],
  ['a binding message of 500 characters', 'invalid_binding_message', { binding_message: 'a'.repeat(500) }],
  ['a lifetime that is no number', 'invalid_request', { requested_expiry: 'soon' }],
]) {
  await check(`${name}: ${wanted}`, async () => {
    const seen = await refusal(ask(more));
    expect(seen === wanted, `refused with ${wanted} and not ${seen}`);
  });
}

close();
