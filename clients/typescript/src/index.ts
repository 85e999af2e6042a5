export { PersonaClient } from "./client.js";
export type { ClientOptions } from "./client.js";
export { Subscription } from "./subscription.js";
export type { StreamOptions } from "./subscription.js";
export type { Cursor, Refusal, StreamEvent } from "./protocol.js";
export { mergePatch } from "./mergePatch.js";
