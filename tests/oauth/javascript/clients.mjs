// Clients that we did not write go through their flows against a running server. One command a line on standard
// input, one answer a line on standard output, both JSON; what the user's browser does comes from the test.
import { createInterface } from 'node:readline';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const insecure = { [oauth.allowInsecureRequests]: true }; // http on localhost
const kept = {};

const commands = {
  // oauth4webapi: authorization code with PKCE, refresh, introspection, revocation
  async webapi_begin({ issuer, client_id, redirect_uri, scope }) {
    const url = new URL(issuer);
    const found = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure });
    const server = await oauth.processDiscoveryResponse(url, found);
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    Object.assign(kept, { server, verifier, state, redirect_uri, client: { client_id } });
    const to = new URL(server.authorization_endpoint);
    const parameters = {
      client_id, redirect_uri, scope, state, response_type: 'code', access_type: 'offline',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    };
    for (const [name, text] of Object.entries(parameters)) to.searchParams.set(name, text);
    return { url: to.href };
  },
  async webapi_end({ back, secret }) {
    const { server, client, state, verifier, redirect_uri } = kept;
    const authenticate = secret ? oauth.ClientSecretBasic(secret) : oauth.None();
    const checked = oauth.validateAuthResponse(server, client, new URL(back), state);
    const answer = await oauth.authorizationCodeGrantRequest(
      server, client, authenticate, checked, redirect_uri, verifier, insecure);
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer);
    const again = await oauth.processRefreshTokenResponse(server, client,
      await oauth.refreshTokenGrantRequest(server, client, authenticate, tokens.refresh_token, insecure));
    return { tokens, again };
  },
  async webapi_mixed_up({ back }) {
    try {
      oauth.validateAuthResponse(kept.server, kept.client, new URL(back), kept.state);
      return { refused: false };
    } catch (error) {
      return { refused: true, why: error.message };
    }
  },
  async webapi_device({ issuer, client_id, scope }) {
    const url = new URL(issuer);
    const server = await oauth.processDiscoveryResponse(
      url, await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure }));
    const client = { client_id };
    const started = await oauth.processDeviceAuthorizationResponse(server, client,
      await oauth.deviceAuthorizationRequest(server, client, oauth.None(), { scope }, insecure));
    Object.assign(kept, { server, client, started });
    return started;
  },
  async webapi_device_end() {
    const { server, client, started } = kept;
    return oauth.processDeviceCodeResponse(server, client,
      await oauth.deviceCodeGrantRequest(server, client, oauth.None(), started.device_code, insecure));
  },
  async webapi_revoke({ secret, token }) {
    const answer = await oauth.revocationRequest(
      kept.server, kept.client, oauth.ClientSecretBasic(secret), token, insecure);
    await oauth.processRevocationResponse(answer);
    return {};
  },
  async webapi_introspect({ client_id, secret, token }) {
    const client = { client_id };
    return oauth.processIntrospectionResponse(kept.server, client,
      await oauth.introspectionRequest(kept.server, client, oauth.ClientSecretBasic(secret), token, insecure));
  },
  // openid-client: OpenID Connect, client credentials, token exchange, JWT bearer
  async openid_begin({ issuer, client_id, secret, redirect_uri, scope }) {
    const config = await openid.discovery(new URL(issuer), client_id, secret, openid.ClientSecretBasic(secret),
      { execute: [openid.allowInsecureRequests] });
    const verifier = openid.randomPKCECodeVerifier();
    const [state, nonce] = [openid.randomState(), openid.randomNonce()];
    Object.assign(kept, { config, verifier, state, nonce });
    const to = openid.buildAuthorizationUrl(config, {
      redirect_uri, scope, state, nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    return { url: to.href };
  },
  async openid_end({ back }) {
    const { config, verifier, state, nonce } = kept;
    const tokens = await openid.authorizationCodeGrant(config, new URL(back), {
      pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
    const user = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    return { tokens, user, claims: tokens.claims() };
  },
  async openid_credentials({ scope }) {
    return openid.clientCredentialsGrant(kept.config, { scope });
  },
  async openid_exchange({ subject_token, audience }) {
    return openid.genericGrantRequest(kept.config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token, audience, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' });
  },
  async openid_assertion({ assertion, account }) {
    return openid.genericGrantRequest(kept.config, 'urn:ietf:params:oauth:grant-type:jwt-bearer', { assertion, account });
  },
  // jose: a service verifies an access token by the published keys
  async jose_verify({ issuer, keys, token, audience }) {
    const { payload, protectedHeader } = await jwtVerify(
      token, createRemoteJWKSet(new URL(keys)), { issuer, audience, typ: 'at+jwt' });
    return { payload, protectedHeader };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...values } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ done: await commands[command](values) }));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error.cause?.message ?? error), code: error.code, why: error.error }));
  }
}
