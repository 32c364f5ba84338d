// The npm package oauth4webapi, unmodified, as a device without a browser (RFC 8628). It leaves each poll to its user, so that
// what is refused can be tried, too.
//
//     node oauth4webapi_device.mjs FIXTURE.json
//
// The fixture names clients for devices.
import * as oauth from 'oauth4webapi';
import { checksOf, close, decide, expect, fixture } from './fixture.mjs';

const check = checksOf('oauth4webapi');
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(fixture.issuer);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));

for (const { client_id, client_secret } of fixture.clients) {
  const client = { client_id };
  const authentication = client_secret ? oauth.ClientSecretBasic(client_secret) : oauth.None();

  const ask = async (parameters = { scope: fixture.scope }) => oauth.processDeviceAuthorizationResponse(as, client,
    await oauth.deviceAuthorizationRequest(as, client, authentication, parameters, insecure));
  const poll = async (code, options) => oauth.processDeviceCodeResponse(as, client,
    await oauth.deviceCodeGrantRequest(as, client, authentication, code, { ...insecure, ...options }));
  const refusal = (outcome) => outcome.then(() => 'none', (error) => error.error);

  await check(`${client_id}: pending, too early, a yes, and the code once more`, async () => {
    const asked = await ask();
    expect(asked.verification_uri_complete.includes(asked.user_code), 'the address has the code');
    const told = [await refusal(poll(asked.device_code)), await refusal(poll(asked.device_code))];
    expect(told.join() === 'authorization_pending,slow_down', told.join());
    expect(await decide(asked.verification_uri_complete, 'confirm') === 'device-done', 'the person is told');
    const response = await oauth.deviceCodeGrantRequest(as, client, authentication, asked.device_code, insecure);
    const tokens = await oauth.processDeviceCodeResponse(as, client, response);
    await oauth.validateApplicationLevelSignature(as, response, insecure);
    const { sub } = oauth.getValidatedIdTokenClaims(tokens);
    const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, insecure);
    await oauth.processUserInfoResponse(as, client, sub, userinfo);

    const again = await refusal(poll(asked.device_code));
    expect(again === 'invalid_grant', `the code is used up: ${again}`);
    const dead = await oauth.userInfoRequest(as, client, tokens.access_token, insecure);
    const refused = await oauth.processUserInfoResponse(as, client, sub, dead).catch((error) => error);
    expect(refused.status === 401, 'a code that was used twice was stolen');
  });

  await check(`${client_id}: bound to a key of the device`, async () => {
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const asked = await ask();
    expect(await decide(asked.verification_uri_complete, 'confirm') === 'device-done', 'the person is told');
    const tokens = await poll(asked.device_code, { DPoP });
    expect(tokens.token_type === 'dpop', `it is ${tokens.token_type}`);
    const { sub } = oauth.getValidatedIdTokenClaims(tokens);
    const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...insecure });
    await oauth.processUserInfoResponse(as, client, sub, userinfo);
  });

  await check(`${client_id}: a no, an unknown code, a bad request`, async () => {
    const asked = await ask();
    expect(await decide(asked.verification_uri_complete, 'deny') === 'device-done', 'the person is told');
    const told = [await refusal(poll(asked.device_code)), await refusal(poll('dc_unknown')), await refusal(ask({ scope: 'unknown' }))];
    expect(told.join() === 'access_denied,invalid_grant,invalid_scope', told.join());
  });
}

close();
