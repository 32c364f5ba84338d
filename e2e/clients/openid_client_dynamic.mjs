// The npm package openid-client, unmodified: clients that register themselves.
//
//     node openid_client_dynamic.mjs FIXTURE.json
import * as client from 'openid-client';
import { checksOf, close, expect, fixture } from './fixture.mjs';
import { execute, login } from './openid_client_login.mjs';

const { app } = fixture;
const check = checksOf('openid-client');

function register(metadata, authentication) {
  const asked = { redirect_uris: [app.redirect_uri], grant_types: ['authorization_code', 'refresh_token'], ...app.metadata, ...metadata };
  return client.dynamicClientRegistration(new URL(fixture.issuer), asked, authentication, { execute });
}

for (const [method, authentication] of [
  ['client_secret_basic', client.ClientSecretBasic()],
  ['client_secret_post', client.ClientSecretPost()],
  ['client_secret_jwt', client.ClientSecretJwt()],
  ['none', client.None()],
]) {
  await check(`registration with ${method}, login, refresh`, async () => {
    const config = await register({ client_name: 'Registered', token_endpoint_auth_method: method }, authentication);
    const { client_secret, token_endpoint_auth_method } = config.clientMetadata();
    expect(token_endpoint_auth_method === method, 'the method that was asked for');
    expect(Boolean(client_secret) === (method !== 'none'), 'a secret where there is something to do with it');
    const { tokens } = await login(config);
    expect((await client.refreshTokenGrant(config, tokens.refresh_token)).refresh_token, 'a successor');
  });
}

await check('registration of keys, login', async () => {
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwk = { ...await crypto.subtle.exportKey('jwk', publicKey), kid: 'its own' };
  const config = await register({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
    client.PrivateKeyJwt({ key: privateKey, kid: jwk.kid }));
  expect(!config.clientMetadata().client_secret, 'no secret');
  await login(config);
});

await check('registration that demands signed requests, login', async () => {
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwk = { ...await crypto.subtle.exportKey('jwk', publicKey), kid: 'its own' };
  const config = await register({
    jwks: { keys: [jwk] }, request_object_signing_alg: 'ES256', require_signed_request_object: true,
  }, client.ClientSecretPost());
  const key = { key: privateKey, kid: jwk.kid };
  await login(config, {}, { build: (...asked) => client.buildAuthorizationUrlWithJAR(...asked, key) });
  const outcome = await login(config).catch((error) => error);
  expect(outcome.error === 'invalid_request', `a request that is not signed gets invalid_request and not ${outcome.error}`);
});

for (const [alg, enc, algorithm] of [
  ['RSA-OAEP-256', 'A256GCM', { name: 'RSA-OAEP', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }],
  ['ECDH-ES+A128KW', 'A128CBC-HS256', { name: 'ECDH', namedCurve: 'P-256' }],
  ['ECDH-ES', 'A256CBC-HS512', { name: 'X25519' }],
]) {
  await check(`ID token and UserInfo encrypted by ${alg} with ${enc}`, async () => {
    const usages = algorithm.name === 'RSA-OAEP' ? ['encrypt', 'decrypt'] : ['deriveBits'];
    const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, true, usages);
    const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey('jwk', publicKey);
    const jwk = { kty, crv, x, y, n, e, use: 'enc', kid: 'for encryption' };
    const config = await register({
      jwks: { keys: [jwk] },
      id_token_encrypted_response_alg: alg,
      id_token_encrypted_response_enc: enc,
      userinfo_signed_response_alg: 'ES256',
      userinfo_encrypted_response_alg: alg,
      userinfo_encrypted_response_enc: enc,
    }, client.ClientSecretPost());
    client.enableDecryptingResponses(config, [enc], { key: privateKey, kid: jwk.kid, alg });
    const { tokens } = await login(config);
    expect(tokens.id_token.split('.').length === 5, 'the ID token is a JWE');
  });
}

await check('pairwise subjects: another sub for each sector, the same one in ID token and UserInfo', async () => {
  const subjectOf = async (host, subject_type) => {
    const redirect_uri = `https://${host}/callback`;
    const config = await register({ application_type: 'web', redirect_uris: [redirect_uri], subject_type }, client.ClientSecretPost());
    expect(config.clientMetadata().subject_type === subject_type, 'the subject type that was asked for');
    // `login` compares the subjects of ID token and UserInfo.
    const { tokens } = await login(config, { redirect_uri });
    return tokens.claims().sub;
  };
  const one = await subjectOf('one.example', 'pairwise');
  expect(await subjectOf('one.example', 'pairwise') === one, 'clients of one sector know the same subject');
  const others = [await subjectOf('two.example', 'pairwise'), await subjectOf('one.example', 'public')];
  expect(new Set([one, ...others]).size === 3, 'another sector and a public client know other subjects');
  expect(await subjectOf('three.example', 'public') === others[1], 'public clients know the same subject');
});

await check('the registration is read and removed with its token', async () => {
  const config = await register({ client_name: 'For a while' });
  const { registration_access_token, registration_client_uri, client_id } = config.clientMetadata();
  const ask = (method) =>
    client.fetchProtectedResource(config, registration_access_token, new URL(registration_client_uri), method);
  const seen = await (await ask('GET')).json();
  expect(seen.client_id === client_id && seen.client_name === 'For a while', 'what was registered');
  expect((await ask('DELETE')).status === 204, 'removed');
  const outcome = await ask('GET').catch((error) => error);
  expect(outcome.status === 401, 'gone');
});

await check('a redirect URI that no client may have', async () => {
  const outcome = await register({ redirect_uris: ['javascript:alert(1)'] }).catch((error) => error);
  expect(outcome.error === 'invalid_redirect_uri', `invalid_redirect_uri and not ${outcome.error}`);
});

close();
