// A client that is generated from the OpenAPI document, and nothing else: openapi-typescript made the types, openapi-fetch follows them.
import createClient from "openapi-fetch";
import type { paths } from "./node_modules/.generated/api.js";

declare const process: { argv: string[] };

const [baseUrl, key] = process.argv.slice(2) as [string, string];
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

function got<T>(answer: { data?: T; error?: { code: string; detail: string } }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.detail}`);
  return answer.data;
}

const user = got(
  await api.POST("/v1/users", {
    params: { header: { "Idempotency-Key": `generated-${Date.now()}` } },
    body: { username: "Generated", identities: [{ provider: "test", subject: `generated-${Date.now()}` }] },
  }),
);
const slug = `generated-${Date.now()}`;
const character = got(
  await api.POST("/v1/personalities", {
    params: { header: { "X-Persona-User": user.id } },
    body: { name: "Lila", slug, characterInfo: "Lila keeps a lighthouse and talks to {{user}}.", personalityTraits: "dry, kind", isPublic: true },
  }),
);
// A field that isn't named is kept.
const renamed = got(await api.PATCH("/v1/users/{id}", { params: { path: { id: user.id }, header: { "If-Match": `"${user.version}"` } }, body: { timeZone: "Europe/Vienna" } }));
if (renamed.username !== "Generated" || renamed.timeZone !== "Europe/Vienna") throw new Error(JSON.stringify(renamed));
const page = got(await api.GET("/v1/users", { params: { query: { limit: 1, search: "Generated" } } }));
if (page.items[0]!.username !== "Generated") throw new Error(JSON.stringify(page));
const prompt = got(await api.GET("/v1/personalities/{personality}/prompt", { params: { path: { personality: slug }, query: { user: user.id } } }));
if (typeof prompt === "string" || !("systemPrompt" in prompt)) throw new Error(JSON.stringify(prompt));
const missing = await api.GET("/v1/personas/{id}", { params: { path: { id: "00000000-0000-0000-0000-000000000000" } } });
console.log(JSON.stringify({ user: user.id, character: character.id, systemPrompt: prompt.systemPrompt, missing: missing.error?.code }));
