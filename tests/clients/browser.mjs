// The project's own client in a real browser: a page that a site of its own serves, with tokens that the site's backend
// fetches with its key, as any frontend does it. Between page and server lies a cable that can be cut.
import { createServer as createSite } from "node:http";
import { createConnection, createServer } from "node:net";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const client = new URL("../../clients/typescript/", import.meta.url);
const files = {
  "/": ["text/html", `<!doctype html><script src="/signalr.js"></script>
    <script type="importmap">{"imports": {"@microsoft/signalr": "/signalr.mjs"}}</script>`],
  // What a bundler does elsewhere: the browser's build of SignalR under the name that the client imports.
  "/signalr.js": ["text/javascript", await readFile(new URL("node_modules/@microsoft/signalr/dist/browser/signalr.js", client))],
  "/signalr.mjs": ["text/javascript", "export const { HubConnectionBuilder, HttpTransportType, LogLevel } = signalR;"],
};
for (const name of ["index", "client", "subscription", "protocol", "mergePatch"]) {
  files[`/client/${name}.js`] = ["text/javascript", await readFile(new URL(`dist/${name}.js`, client))];
}

const backends = new Map();
let browser, home, site;

/** Starts the browser and the site; the answer is the site's origin. */
export async function open(executable) {
  home = await mkdtemp(join(tmpdir(), "personactors-browser-"));
  browser = await chromium.launch({
    executablePath: executable,
    chromiumSandbox: false,
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    args: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  site = createSite(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://site");
    if (pathname === "/token") {
      const { server, key, user, audience } = backends.get(searchParams.get("client"));
      const answer = await fetch(`${server}/v1/tokens`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ user, minutes: 5, audience }),
      });
      response.writeHead(answer.status, { "content-type": "text/plain" }).end((await answer.json()).token);
    } else if (files[pathname]) {
      response.writeHead(200, { "content-type": files[pathname][0] }).end(files[pathname][1]);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => site.listen(0, "127.0.0.1", listening));
  return `http://127.0.0.1:${site.address().port}`;
}

export async function close() {
  site?.close();
  await browser?.close();
  if (home) await rm(home, { recursive: true, force: true });
}

/** A page of that origin, with a cable of its own to the server. */
export async function page(name, { origin, server, key, user, audience }, say) {
  backends.set(name, { server, key, user, audience });
  const cable = await lay(new URL(server));
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => {
    throw error;
  });
  await tab.exposeFunction("say", (got, value) => say({ client: name, got, value }));
  await tab.goto(origin);
  // Many events at a time: each call out of the page costs more than an event.
  await tab.evaluate(() => {
    let batch;
    window.got = (event) => {
      if (batch) return batch.push(event);
      batch = [event];
      setTimeout(() => (say("events", batch), (batch = undefined)));
    };
  });
  return { tab, cut: cable.cut, url: cable.url };
}

/** The TypeScript client, in the page. */
export const resume = ({ tab, url }, name, options) => tab.evaluate(async ({ url, name, streams, after, webSocketsOnly }) => {
  const { PersonaClient } = await import("/client/index.js");
  window.connections = 0;
  window.persona = new PersonaClient({
    url,
    webSocketsOnly,
    token: async () => {
      const token = await (await fetch(`/token?client=${name}`)).text();
      say("token");
      return token;
    },
    longestWait: 100,
    onConnected: () => say("connected", ++connections),
    onDisconnected: (error) => say("disconnected", error?.message ?? ""),
  });
  for (const stream of streams) {
    persona.subscribe(stream, {
      after,
      onEvent: got,
      onRefused: (refusal) => say("refused", refusal),
    });
  }
  await persona.start();
}, { url, name, ...options });

/** Asks the server over the client's connection, behind all that it asked before; the answer is how many connections it took so far. */
export const ping = ({ tab }) => tab.evaluate(async () => {
  await persona.ping();
  return connections;
});

/** The browser's own EventSource on one stream. It reconnects and continues by itself. */
export const listen = ({ tab, url }, name, { stream, after }) => tab.evaluate(async ({ url, name, stream, after }) => {
  const token = await (await fetch(`/token?client=${name}`)).text();
  const source = new EventSource(`${url}/v1/events?stream=${stream}&from=${after.epoch}:${after.seq}&access_token=${token}`);
  source.onopen = () => say("connected");
  source.onerror = () => say(source.readyState === EventSource.CLOSED ? "closed" : "disconnected");
  for (const type of ["user.registered", "persona.created", "test.written"]) {
    source.addEventListener(type, ({ data }) => got(JSON.parse(data)));
  }
}, { url, name, stream, after });

/** What the page gets for a plain request: the status, or why the browser withholds it. */
export const get = ({ tab, url }, name, { path }) => tab.evaluate(async ({ url, name, path }) => {
  const token = await (await fetch(`/token?client=${name}`)).text();
  try {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, cursor: answer.headers.get("persona-cursor") };
  } catch (error) {
    return { error: error.message };
  }
}, { url, name, path });

/** A socket to the hub by hand: whether it was let in. */
export const socket = ({ tab, url }, name) => tab.evaluate(async ({ url, name }) => {
  const token = await (await fetch(`/token?client=${name}`)).text();
  const socket = new WebSocket(`${url.replace("http", "ws")}/hubs/persona?access_token=${token}`);
  return new Promise((done) => {
    socket.onopen = () => done("open");
    socket.onerror = () => done("refused");
  });
}, { url, name });

/** A relay to the server whose connections can be cut without a goodbye. */
async function lay(server) {
  const open = new Set();
  const relay = createServer((near) => {
    const far = createConnection(Number(server.port), server.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.on("error", () => {}).on("close", () => (open.delete(one), other.destroy()));
      one.setNoDelay(true).pipe(other);
    }
  });
  await new Promise((listening) => relay.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${relay.address().port}`, cut: () => open.forEach((end) => end.resetAndDestroy()) };
}
