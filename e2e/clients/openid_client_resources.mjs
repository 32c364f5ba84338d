// The npm package openid-client, unmodified, with several resource servers in one grant (RFC 8707, RFC 9068) and with
// introspection that answers by JWTs (RFC 9701), against the issuer of a fixture:
//
//     node openid_client_resources.mjs FIXTURE.json
//
// The fixture names the client `app`, the resource servers `photos` (JWTs) and `prints` (opaque tokens) with a scope each, and
// the clients `plain`, `signed` and `encrypted`, which introspect.
import * as client from 'openid-client';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { authorizationAnswer, checksOf, close, expect, fixture } from './fixture.mjs';

const { app, introspecting, resources: { photos, prints } } = fixture;
const check = checksOf('openid-client');
const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];

const discover = ({ client_id, client_secret, metadata }) => client.discovery(
  new URL(fixture.issuer), client_id, metadata, client.ClientSecretBasic(client_secret), { execute });

const config = await discover(app);
let tokens;
let opaque;

await check('an authorization for two resource servers', async () => {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const parameters = new URLSearchParams({
    redirect_uri: app.redirect_uri, scope: `${photos.scope} ${prints.scope}`, state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  });
  for (const { uri } of [photos, prints]) parameters.append('resource', uri);
  const answer = await authorizationAnswer(client.buildAuthorizationUrl(config, parameters));
  tokens = await client.authorizationCodeGrant(config, answer, { pkceCodeVerifier, expectedState }, { resource: photos.uri });
  expect(tokens.scope === photos.scope, `its scopes alone, and not ${tokens.scope}`);
});

await check('the token is a JWT that the resource server verifies', async () => {
  const jwks = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const { payload } = await jwtVerify(tokens.access_token, jwks, {
    issuer: fixture.issuer, audience: photos.uri, typ: 'at+jwt', requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'] });
  expect(payload.aud === photos.uri && payload.scope === photos.scope, 'it is for nobody else');
  return Object.keys(payload).join(' ');
});

await check('a refresh is for the other one, and for the first one again', async () => {
  const other = await client.refreshTokenGrant(config, tokens.refresh_token, { resource: prints.uri });
  expect(other.scope === prints.scope && other.access_token.startsWith('at_'), 'opaque, with the scope of the other');
  opaque = other.access_token;
  tokens = await client.refreshTokenGrant(config, other.refresh_token, { resource: photos.uri, scope: photos.scope });
  expect(tokens.access_token.startsWith('ey'), 'a JWT again');
});

await check('what may not be asked for', async () => {
  for (const resource of ['https://nobody.example', `${photos.uri}#x`, '/photos']) {
    const refused = await client.refreshTokenGrant(config, tokens.refresh_token, { resource }).catch((error) => error);
    expect(refused.error === 'invalid_target', `invalid_target for ${resource} and not ${refused.error}`);
  }
  const nobody = await client.refreshTokenGrant(config, tokens.refresh_token).catch((error) => error);
  expect(nobody.error === 'invalid_target', 'of two none is guessed');
  tokens = await client.refreshTokenGrant(config, tokens.refresh_token, { resource: photos.uri });
});

await check('client credentials for a resource server', async () => {
  const own = await client.clientCredentialsGrant(config, { resource: photos.uri, scope: photos.scope });
  expect(own.scope === photos.scope && own.access_token.startsWith('ey'), 'a JWT');
});

for (const of of introspecting) {
  await check(`introspection by ${of.client_id}`, async () => {
    const asker = await discover(of);
    if (of.decrypts) {
      const { d, ...jwk } = of.decrypts;
      const key = await crypto.subtle.importKey('jwk', { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, d },
        { name: 'ECDH', namedCurve: jwk.crv }, false, ['deriveBits']);
      client.enableDecryptingResponses(asker, ['A256GCM', 'A128CBC-HS256'], { key, kid: jwk.kid });
    }
    for (const [token, { uri, scope }] of [[tokens.access_token, photos], [opaque, prints]]) {
      const told = await client.tokenIntrospection(asker, token);
      expect(told.active && told.aud === uri && told.scope === scope, `of its own token: ${JSON.stringify(told)}`);
    }
    const nothing = await client.tokenIntrospection(asker, tokens.refresh_token);
    expect(nothing.active === false && Object.keys(nothing).length === 1, 'nothing of what is not its business');
  });
}

close();
