// better-auth's API keys on Node's own HTTP server, with the database of its guide.
// node server.mjs DATABASE PORT: prints a key, then answers POST {"key": …} with whether it is good and whose it is.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { json } from "node:stream/consumers";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";

const [, , file, port] = process.argv;
const database = new DatabaseSync(file);
database.exec("PRAGMA journal_mode = WAL");
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  database,
  emailAndPassword: { enabled: true },
  plugins: [apiKey({ rateLimit: { enabled: false } })], // ten a day for each key otherwise
  secret: randomBytes(32).toString("base64"),
  telemetry: { enabled: false },
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
const password = randomBytes(16).toString("hex");
const { user } = await auth.api.signUpEmail({ body: { email: "bot@example.com", name: "Bot", password } });
const { key } = await auth.api.createApiKey({ body: { userId: user.id, name: "bench" } });

createServer(async (request, response) => {
  const answer = JSON.stringify(await auth.api.verifyApiKey({ body: await json(request) }));
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) });
  response.end(answer);
}).listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ key })));
