// The npm package openid-client, unmodified, against the issuer of a fixture:
//
//     node openid_client.mjs FIXTURE.json
//
// The fixture names the issuer, a person, the client `app` (with or without a secret) and the confidential client
// `api`, which may introspect the tokens of `app` and use client_credentials. With `app.decrypts`, a private JWK, the
// ID tokens and UserInfo responses of `app` are encrypted.
import * as client from 'openid-client';
import { authorizationAnswer, checksOf, close, expect, fixture } from './fixture.mjs';

const { app, api } = fixture;
const check = checksOf('openid-client');

async function discover({ client_id, client_secret, decrypts }) {
  const authentication = client_secret ? client.ClientSecretBasic(client_secret) : client.None();
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];
  const found = await client.discovery(new URL(fixture.issuer), client_id, undefined, authentication, { execute });
  if (decrypts) {
    const curve = { name: 'ECDH', namedCurve: decrypts.crv };
    const jwk = { kty: decrypts.kty, crv: decrypts.crv, x: decrypts.x, y: decrypts.y, d: decrypts.d };
    const key = await crypto.subtle.importKey('jwk', jwk, curve, false, ['deriveBits']);
    client.enableDecryptingResponses(found, ['A256GCM', 'A128CBC-HS256'], { key, kid: decrypts.kid });
  }
  return found;
}

let config;
let apiConfig;
let tokens;

await check('discovery', async () => {
  config = await discover(app);
  apiConfig = await discover(api);
  expect(config.serverMetadata().issuer === fixture.issuer, 'the issuer is the one asked for');
  expect(config.serverMetadata().supportsPKCE(), 'S256 is announced');
});

await check('discovery by RFC 8414', async () => {
  const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
  const found = await client.discovery(new URL(fixture.issuer), app.client_id, undefined, client.None(), options);
  expect(found.serverMetadata().token_endpoint === config.serverMetadata().token_endpoint, 'both documents agree');
});

await check('code with PKCE', async () => {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: app.redirect_uri,
    scope: app.scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...app.parameters,
  });
  const answer = await authorizationAnswer(url);
  expect(answer.searchParams.get('iss') === fixture.issuer, 'the answer names its issuer');
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  tokens = await client.authorizationCodeGrant(config, answer, checks);
  expect(tokens.token_type === 'bearer' && tokens.expiresIn() > 0, 'a bearer token with a life');
  return `ID token ${JSON.parse(atob(tokens.id_token.split('.')[0])).alg}`;
});

await check('UserInfo', async () => {
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  return Object.keys(userinfo).join(' ');
});

await check('refresh', async () => {
  expect(tokens.refresh_token, 'there is a refresh token');
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
  expect(fresh.access_token !== tokens.access_token, 'another access token');
  expect(fresh.refresh_token, 'a successor');
  expect(fresh.claims().sub === tokens.claims().sub, 'of the same person');
  tokens = fresh;
});

await check('introspection', async () => {
  const seen = await client.tokenIntrospection(apiConfig, tokens.access_token);
  expect(seen.active && seen.client_id === app.client_id, 'active, of the client');
  return `scope ${seen.scope}`;
});

await check('introspection of an unknown token', async () => {
  const seen = await client.tokenIntrospection(apiConfig, 'at_unknown');
  expect(JSON.stringify(seen) === '{"active":false}', 'nothing but inactive');
});

await check('revocation of the access token', async () => {
  await client.tokenRevocation(config, tokens.access_token);
  const seen = await client.tokenIntrospection(apiConfig, tokens.access_token);
  expect(!seen.active, 'inactive afterwards');
});

await check('revocation of the refresh token', async () => {
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
  await client.tokenRevocation(config, fresh.refresh_token, { token_type_hint: 'refresh_token' });
  const outcome = await client.refreshTokenGrant(config, fresh.refresh_token).catch((error) => error);
  expect(outcome.error === 'invalid_grant', 'refused afterwards');
  const seen = await client.tokenIntrospection(apiConfig, fresh.access_token);
  expect(!seen.active, 'its access token is inactive too');
});

await check('client credentials', async () => {
  const parameters = api.scope ? { scope: api.scope } : {};
  const own = await client.clientCredentialsGrant(apiConfig, parameters);
  const seen = await client.tokenIntrospection(apiConfig, own.access_token);
  expect(seen.active && seen.client_id === api.client_id, 'active, of the client');
  expect(!own.refresh_token && !own.id_token, 'neither refresh token nor ID token');
});

close();
