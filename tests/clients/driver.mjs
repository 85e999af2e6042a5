// Real clients, driven line by line: a command is JSON on stdin, what happens is JSON on stdout.
// "raw" clients are @microsoft/signalr as it is, "resuming" ones are the project's own client built on it.
import { createInterface } from "node:readline";
import * as signalR from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import WebSocket from "ws";
import { PersonaClient } from "../../clients/typescript/dist/index.js";

const clients = new Map();
let browser;

function say(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

// A socket that can be cut as a cable is: no close frame, no goodbye.
function cuttable(entry) {
  return class extends WebSocket {
    constructor(url, protocols, options) {
      super(url, protocols, options);
      entry.socket = this;
    }
  };
}

const operations = {
  async raw({ client, url, token, transport, messagePack }) {
    const entry = {};
    const connection = new signalR.HubConnectionBuilder()
      .withHubProtocol(messagePack ? new MessagePackHubProtocol() : new signalR.JsonHubProtocol())
      .withUrl(`${url}/hubs/persona`, {
        ...(token ? { accessTokenFactory: () => token } : {}),
        ...(transport ? { transport: signalR.HttpTransportType[transport] } : { transport: signalR.HttpTransportType.WebSockets, skipNegotiation: true }),
        WebSocket: cuttable(entry),
      })
      .configureLogging(signalR.LogLevel.None)
      .build();
    for (const method of ["events", "revoked", "tokenExpiring"]) {
      connection.on(method, (value) => say({ client, got: method, value }));
    }
    connection.onclose((error) => say({ client, got: "closed", value: error?.message ?? "" }));
    entry.invoke = (method, args) => connection.invoke(method, ...args);
    entry.stop = () => connection.stop();
    clients.set(client, entry);
    await connection.start();
  },

  async resuming({ client, url, token, streams, after, messagePack }) {
    const entry = {};
    const persona = new PersonaClient({
      url,
      token,
      ...(messagePack ? { protocol: new MessagePackHubProtocol() } : {}),
      longestWait: 100,
      http: { WebSocket: cuttable(entry) },
      onConnected: () => say({ client, got: "connected" }),
      onDisconnected: (error) => say({ client, got: "disconnected", value: error?.message ?? "" }),
    });
    entry.stop = () => persona.stop();
    clients.set(client, entry);
    for (const stream of streams) {
      persona.subscribe(stream, {
        ...(after ? { after } : {}),
        onEvent: (event) => say({ client, got: "events", value: [event] }),
        onState: (state, why) => why === "reset" && say({ client, got: "reset", value: state }),
        onRefused: (refusal) => say({ client, got: "refused", value: refusal }),
        onRevoked: () => say({ client, got: "revoked", value: stream }),
      });
    }
    await persona.start();
  },

  // Many clients that only count, so that this process is no part of what is measured.
  async crowd({ client, url, token, count, streams, after }) {
    const members = [];
    const state = { received: 0, wrong: 0 };
    clients.set(client, { members, state, stop: () => Promise.all(members.map((m) => m.stop())) });
    await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const entry = {};
        const own = streams[i % streams.length];
        const persona = new PersonaClient({ url, token, longestWait: 1000, http: { WebSocket: cuttable(entry) } });
        let seq = after ? after.seq : undefined;
        persona.subscribe(own, {
          ...(after ? { after } : {}),
          onEvent: (event) => {
            state.received++;
            if (seq !== undefined && event.seq !== seq + 1) state.wrong++;
            seq = event.seq;
          },
        });
        members.push({ stop: () => persona.stop(), cut: () => entry.socket?.terminate(), seq: () => seq });
        await persona.start();
      }),
    );
  },

  async cutCrowd({ client }) {
    for (const member of clients.get(client).members) member.cut();
  },

  async crowdState({ client, seq }) {
    const { members, state } = clients.get(client);
    return { ...state, there: members.filter((member) => member.seq() === seq).length };
  },

  async openBrowser({ executable }) {
    browser = await import("./browser.mjs");
    return browser.open(executable);
  },

  async page({ client, ...options }) {
    const page = await browser.page(client, options, say);
    clients.set(client, { page, socket: { terminate: page.cut }, stop: () => page.tab.close() });
  },

  inPage: ({ client, what, ...options }) => browser[what](clients.get(client).page, client, options),

  invoke: ({ client, method, args }) => clients.get(client).invoke(method, args ?? []),
  async cut({ client }) {
    clients.get(client).socket?.terminate();
  },
  stop: ({ client }) => clients.get(client).stop(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { n, op, ...command } = JSON.parse(line);
  operations[op](command).then(
    (result) => say({ n, result: result ?? null }),
    (error) => say({ n, error: error.message }),
  );
}
await browser?.close();
process.exit(0);
