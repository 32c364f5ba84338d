// The npm package openid-client, unmodified: clients of FAPI 2.0 Message Signing. Their requests are signed (RFC 9101) and
// pushed (RFC 9126), the responses are signed (JARM), they authenticate by private_key_jwt, and their tokens are bound to a
// key by proofs (RFC 9449) that contain nonces of the provider.
//
//     node openid_client_fapi.mjs FIXTURE.json
//
// The fixture names such clients, each with a private key. What is refused is tried with the first two.
import * as client from 'openid-client';
import { authorizationAnswer, checksOf, close, expect, fixture } from './fixture.mjs';
import { execute, importKey, login, refusal, request } from './openid_client_login.mjs';

const { clients } = fixture;
const check = checksOf('openid-client');

/** The configuration of a client, its key, and the answers that it gets, as `status path`. */
async function discover(of, { key: signs = of.key, assertion, responses = [client.useJwtResponseMode] } = {}) {
  const key = { key: await importKey(signs), kid: signs.jwk.kid };
  const config = await client.discovery(new URL(fixture.issuer), of.client_id, undefined,
    client.PrivateKeyJwt(key, assertion), { execute: [...execute, ...responses] });
  const answers = [];
  config[client.customFetch] = async (url, asked) => {
    const answer = await fetch(url, asked);
    answers.push(`${answer.status} ${new URL(url).pathname}`);
    return answer;
  };
  return { config, key, answers };
}

/** Its tokens are bound to a new key. */
const bound = async (config, alg = 'ES256', options) =>
  client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg), options);

/** How a request is signed, and pushed with a proof, if any. */
const pushing = (key, DPoP, options) => async (config, parameters) => {
  const signed = await client.buildAuthorizationUrlWithJAR(config, parameters, key, options);
  return client.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP });
};

for (const of of clients) {
  const alg = of.key.name;
  await check(`${alg}: a request that is signed and pushed, a signed response, bound tokens`, async () => {
    const { config, key, answers } = await discover(of);
    const DPoP = await bound(config, alg);
    const { url, answer, tokens } = await login(config, {}, { build: pushing(key, DPoP), DPoP });
    expect([...url.searchParams.keys()].sort().join() === 'client_id,request_uri', 'nothing is asked for at the front');
    expect([...answer.searchParams.keys()].join() === 'response', 'the answer is a JWT');
    expect(tokens.token_type === 'dpop', `the access token is bound, and not ${tokens.token_type}`);

    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    expect(fresh.access_token !== tokens.access_token && fresh.token_type === 'dpop', 'another access token, bound');
    await client.fetchUserInfo(config, fresh.access_token, tokens.claims().sub, { DPoP });
    const seen = await client.tokenIntrospection(config, fresh.access_token);
    expect(seen.cnf.jkt === await DPoP.calculateThumbprint(), 'it is bound to the key of the proofs');
    const refused = answers.filter((line) => !line.startsWith('2'));
    expect(refused.join() === '400 /par', `only the first proof has no nonce that is good: ${refused.join()}`);
  });
}

await check('client credentials, bound to a key', async () => {
  const { config } = await discover(clients[0]);
  const DPoP = await bound(config);
  const tokens = await client.clientCredentialsGrant(config, {}, { DPoP });
  expect(tokens.token_type === 'dpop', 'bound');
  await client.tokenRevocation(config, tokens.access_token);
});

await check('a request that is pushed without a proof: bound where the code is redeemed', async () => {
  const { config, key } = await discover(clients[0]);
  await login(config, {}, { build: pushing(key), DPoP: await bound(config) });
});

const [of, other] = clients;

/** The tokens of a login, and the key that they are bound to. */
async function loggedIn() {
  const { config, key } = await discover(of);
  const DPoP = await bound(config);
  const { tokens } = await login(config, {}, { build: pushing(key, DPoP), DPoP });
  return { config, tokens, DPoP, userinfo: (options) => client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, options) };
}

/** How the provider answers a code that is redeemed so. */
async function redeemed(pushedWith, options) {
  const { config, key } = await discover(of);
  const { url, checks } = await request(config, {}, pushing(key, pushedWith && await pushedWith(config)));
  const answer = await authorizationAnswer(url);
  return refusal(client.authorizationCodeGrant(config, answer, checks, undefined, await options(config)));
}

/** How the provider answers a request that is pushed so. */
async function pushed({ more, key, object, DPoP, responses } = {}) {
  const own = await discover(of, { responses });
  return refusal(request(own.config, more, pushing(key ?? own.key, DPoP && await DPoP(own.config), object)));
}

for (const [name, wanted, outcome] of [
  ['a code without a proof', 'invalid_request', () => redeemed(undefined, () => ({}))],
  ['a code with a proof of another key than its request', 'invalid_grant',
    () => redeemed(bound, async (config) => ({ DPoP: await bound(config) }))],
  ['client credentials without a proof', 'invalid_request',
    async () => refusal(client.clientCredentialsGrant((await discover(of)).config))],
  ['a refresh token without a proof', 'invalid_request', async () => {
    const { config, tokens } = await loggedIn();
    return refusal(client.refreshTokenGrant(config, tokens.refresh_token));
  }],
  ['a bound token as a bearer token', 'invalid_token', async () => refusal((await loggedIn()).userinfo())],
  ['a bound token with a proof of another key', 'invalid_token', async () => {
    const { config, userinfo } = await loggedIn();
    return refusal(userinfo({ DPoP: await bound(config) }));
  }],
  ['a proof that is used twice', 'invalid_dpop_proof', async () => {
    const { config } = await discover(of);
    let jti;
    const once = { [client.modifyAssertion]: (_, proof) => { proof.jti = proof.nonce ? (jti ??= proof.jti) : proof.jti; } };
    const DPoP = await bound(config, 'ES256', once);
    await client.clientCredentialsGrant(config, {}, { DPoP });
    return refusal(client.clientCredentialsGrant(config, {}, { DPoP }));
  }],
  ['a proof for another address', 'invalid_dpop_proof', async () => {
    const { config } = await discover(of);
    const elsewhere = { [client.modifyAssertion]: (_, proof) => { proof.htu = `${fixture.issuer}/par`; } };
    return refusal(client.clientCredentialsGrant(config, {}, { DPoP: await bound(config, 'ES256', elsewhere) }));
  }],
  ['a proof that is signed with RS256', 'invalid_dpop_proof',
    () => pushed({ DPoP: (config) => bound(config, 'RS256') })],
  ['a request that is not signed', 'invalid_request', async () => {
    const { config } = await discover(of);
    return refusal(request(config, {}, client.buildAuthorizationUrlWithPAR));
  }],
  ['a request that another client has signed', 'invalid_request_object',
    async () => pushed({ key: { key: await importKey(other.key), kid: other.key.jwk.kid } })],
  ['a signed request that is valid for two hours', 'invalid_request_object',
    () => pushed({ object: { [client.modifyAssertion]: (_, claims) => { claims.exp = claims.nbf + 7200; } } })],
  ['a signed request for another provider', 'invalid_request_object',
    () => pushed({ object: { [client.modifyAssertion]: (_, claims) => { claims.aud = 'https://another.example'; } } })],
  ['a request without PKCE', 'invalid_request', () => pushed({ more: { code_challenge: '', code_challenge_method: '' } })],
  ['a response that is not signed', 'invalid_request', () => pushed({ responses: [] })],
  ['an assertion that another client has signed', 'invalid_client', async () => {
    const { config } = await discover(of, { key: other.key });
    return refusal(client.clientCredentialsGrant(config, {}, { DPoP: await bound(config) }));
  }],
  ['an assertion for the token endpoint', 'invalid_client', async () => {
    const assertion = { [client.modifyAssertion]: (_, claims) => { claims.aud = `${fixture.issuer}/token`; } };
    const { config } = await discover(of, { assertion });
    return refusal(client.clientCredentialsGrant(config, {}, { DPoP: await bound(config) }));
  }],
]) {
  await check(`${name}: ${wanted}`, async () => {
    const seen = await outcome();
    expect(seen === wanted, `refused with ${wanted} and not ${seen}`);
  });
}

await check('a request that is not pushed: invalid_request, in a signed response', async () => {
  const { config, key } = await discover(of);
  const { url, checks } = await request(config, {}, (...asked) => client.buildAuthorizationUrlWithJAR(...asked, key));
  const answer = new URL((await fetch(url, { redirect: 'manual' })).headers.get('location'));
  expect([...answer.searchParams.keys()].join() === 'response', 'the answer is a JWT');
  const seen = await refusal(client.authorizationCodeGrant(config, answer, checks));
  expect(seen === 'invalid_request', `refused with invalid_request and not ${seen}`);
});

await check('a pushed request leads to one response and not to two', async () => {
  const { config, key } = await discover(of);
  const { url } = await request(config, {}, pushing(key));
  await authorizationAnswer(url);
  const again = await fetch(url, { redirect: 'manual' });
  expect(again.status === 400, `refused and not ${again.status}`);
});

close();
