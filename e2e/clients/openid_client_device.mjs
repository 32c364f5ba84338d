// The npm package openid-client, unmodified, as a device without a browser (RFC 8628), against the issuer of a fixture:
//
//     node openid_client_device.mjs FIXTURE.json
//
// The fixture names clients for devices. The library polls by itself, at the interval that it was told.
import * as client from 'openid-client';
import { checksOf, close, decide, expect, fixture } from './fixture.mjs';

const check = checksOf('openid-client');

for (const { client_id, client_secret } of fixture.clients) {
  const authentication = client_secret ? client.ClientSecretBasic(client_secret) : client.None();
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];
  const config = await client.discovery(new URL(fixture.issuer), client_id, undefined, authentication, { execute });
  const polls = [];
  config[client.customFetch] = async (url, asked) => {
    const answer = await fetch(url, asked);
    if (url.endsWith('/token')) polls.push(answer.ok ? 'tokens' : (await answer.clone().json()).error);
    return answer;
  };
  const ask = () => client.initiateDeviceAuthorization(config, { scope: fixture.scope });

  await check(`${client_id}: a device gets what its person allows`, async () => {
    const asked = await ask();
    const polling = client.pollDeviceAuthorizationGrant(config, asked);
    await new Promise((done) => { setTimeout(done, asked.interval * 1500); });
    expect(await decide(asked.verification_uri_complete, 'confirm') === 'device-done', 'the person is told');
    const tokens = await polling;
    expect(polls[0] === 'authorization_pending' && !polls.includes('slow_down'), `its polls are in time: ${polls}`);
    await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
    expect(fresh.claims().sub === tokens.claims().sub, 'of the same person');
    return polls.join(' ');
  });

  await check(`${client_id}: a no is told`, async () => {
    const asked = await ask();
    const polling = client.pollDeviceAuthorizationGrant(config, asked).catch((error) => error);
    expect(await decide(asked.verification_uri_complete, 'deny') === 'device-done', 'the person is told');
    expect((await polling).error === 'access_denied', 'access_denied');
  });
}

close();
