// A service that verifies Keyturn's access tokens by itself, with the published keys (Express).
//
//     KEYTURN=https://keyturn.example.com SERVICE_ID=<this service's id> PORT=3000 npm start
//
// Fast, and independent of Keyturn while it runs; a token that was revoked is good for up to five minutes more.
import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';

const { KEYTURN, SERVICE_ID, PORT = '3000' } = process.env;

const app = express();
app.use(auth({
  issuer: KEYTURN,
  jwksUri: `${KEYTURN}/api/rest/oauth2/keys`,
  audience: SERVICE_ID,
  tokenSigningAlg: 'ES256',
  strict: true, // only what is marked as an access token (RFC 9068)
}));
app.get('/jobs', (request, response) => {
  response.json({ asked_by: request.auth.payload.sub });
});
app.use((error, _request, response, _next) => {
  response.status(error.status ?? 500).set(error.headers ?? {}).json({ error: error.code ?? 'server_error' });
});
const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
