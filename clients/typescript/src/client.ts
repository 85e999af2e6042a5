import { HubConnection, HubConnectionBuilder, HttpTransportType, IHttpConnectionOptions, IHubProtocol, LogLevel } from "@microsoft/signalr";
import type { Refusal, StreamAnswer, StreamEvent } from "./protocol.js";
import { StreamOptions, Subscription } from "./subscription.js";

export interface ClientOptions {
  /** Where the server is: `https://persona.example`. */
  url: string;
  /** A token of `POST /v1/tokens`, or how to get one: asked at every connection, and again when one is about to expire. */
  token?: string | (() => string | Promise<string>);
  /** Straight to WebSockets, as is right behind a balancer that isn't sticky. On by default. */
  webSocketsOnly?: boolean;
  /** JSON, unless given: `new MessagePackHubProtocol()` of `@microsoft/signalr-protocol-msgpack`. */
  protocol?: IHubProtocol;
  /** The longest wait between attempts to connect, in milliseconds. */
  longestWait?: number;
  onConnected?: () => void;
  onDisconnected?: (error: Error | undefined) => void;
  /** For programs that bring their own transport parts or headers. */
  http?: IHttpConnectionOptions;
}

/**
 * Keeps a connection to the hub and every subscription alive: after a cut it connects again, waits longer each time, and
 * continues each stream after its cursor. A listener sees every event once and in order, or a reset with the state.
 */
export class PersonaClient {
  private readonly subscriptions = new Map<string, Subscription<any>>();
  private connection: HubConnection | undefined;
  private stopped = true;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wanted = new Set<Subscription<any>>();
  private asking: Promise<void> | undefined;

  constructor(private readonly options: ClientOptions) {}

  get connected(): boolean {
    return this.connection?.state === "Connected";
  }

  /** Listens to a stream. May be called before `start` and at any time after it; one subscription per stream. */
  subscribe<TState = unknown>(stream: string, options: StreamOptions<TState> = {}): Subscription<TState> {
    this.subscriptions.get(stream)?.close();
    const subscription = new Subscription<TState>(stream, options, () => this.leave(subscription));
    this.subscriptions.set(stream, subscription);
    this.wanted.add(subscription);
    if (this.connected) void this.ask().catch(() => {}); // a failed one has ended the connection
    return subscription;
  }

  /** Connects, and stays connected until `stop`. Resolves when the first connection stands and its streams are answered. */
  async start(): Promise<void> {
    this.stopped = false;
    await this.connect();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.connection?.stop();
  }

  /** The server's clock. */
  async ping(): Promise<Date> {
    const answer = await this.connection!.invoke<{ now: string; refused?: Refusal }>("Ping");
    if (answer.refused) throw new Error(answer.refused.detail);
    return new Date(answer.now);
  }

  private async connect(): Promise<void> {
    while (!this.stopped) {
      const connection = this.build();
      this.connection = connection;
      this.wanted = new Set(this.subscriptions.values());
      try {
        await connection.start();
        this.attempts = 0;
        await this.ask();
        if (connection.state !== "Connected") throw new Error("The connection was cut.");
        connection.onclose((error) => this.closed(connection, error));
        this.options.onConnected?.();
        return;
      } catch (error) {
        if (this.connection !== connection) return;
        this.connection = undefined;
        await connection.stop().catch(() => {});
        if (this.stopped) return;
        await new Promise<void>((resolve) => (this.timer = setTimeout(resolve, this.nextWait())));
      }
    }
  }

  private build(): HubConnection {
    const webSocketsOnly = this.options.webSocketsOnly ?? true;
    const builder = new HubConnectionBuilder();
    if (this.options.protocol) builder.withHubProtocol(this.options.protocol);
    const connection = builder
      .withUrl(`${this.options.url.replace(/\/$/, "")}/hubs/persona`, {
        ...(webSocketsOnly ? { transport: HttpTransportType.WebSockets, skipNegotiation: true } : {}),
        ...(this.options.token === undefined ? {} : { accessTokenFactory: () => this.token() }),
        ...this.options.http,
      })
      .configureLogging(LogLevel.None)
      .build();
    connection.on("events", (events: StreamEvent[]) => this.take(connection, events));
    connection.on("revoked", (stream: string) => this.revoked(stream));
    connection.on("tokenExpiring", () => void this.renew(connection));
    return connection;
  }

  /** Asks for all streams that were not asked for on this connection; once at a time, so that no answer is mistaken. */
  private async ask(): Promise<void> {
    while (this.asking) await this.asking;
    const connection = this.connection;
    if (!connection || this.wanted.size === 0) return;
    this.asking = (async () => {
      try {
        const asked = [...this.wanted];
        this.wanted.clear();
        const answers = await connection.invoke<StreamAnswer[]>("Subscribe", asked.map((subscription) => subscription.request()));
        asked.forEach((subscription, i) => {
          this.rename(subscription, answers[i]!);
          if (!subscription.answered(answers[i]!) && this.subscriptions.get(subscription.stream) === subscription) {
            this.subscriptions.delete(subscription.stream);
          }
        });
      } catch (error) {
        // Whatever went wrong, a new connection asks again for everything.
        await connection.stop().catch(() => {});
        throw error;
      } finally {
        this.asking = undefined;
      }
    })();
    await this.asking;
  }

  /** A stream that was named as HTTP names things (a slug, `me`) has one name of its own, by which its events come. */
  private rename(subscription: Subscription<any>, answer: StreamAnswer): void {
    if (answer.refused || answer.stream === subscription.stream || this.subscriptions.get(subscription.stream) !== subscription) return;
    this.subscriptions.delete(subscription.stream);
    subscription.stream = answer.stream;
    this.subscriptions.set(answer.stream, subscription);
  }

  private take(connection: HubConnection, events: StreamEvent[]): void {
    for (const event of events) {
      if (this.connection !== connection) return;
      if (this.subscriptions.get(event.stream)?.take(event) === false) {
        // Something is missing: start over from the cursors.
        void connection.stop();
        return;
      }
    }
  }

  private revoked(stream: string): void {
    const subscription = this.subscriptions.get(stream);
    this.subscriptions.delete(stream);
    subscription?.revoked();
  }

  private leave(subscription: Subscription<any>): void {
    if (this.subscriptions.get(subscription.stream) !== subscription) return;
    this.subscriptions.delete(subscription.stream);
    this.wanted.delete(subscription);
    if (this.connected) void this.connection!.invoke("Unsubscribe", [subscription.stream]).catch(() => {});
  }

  private closed(connection: HubConnection, error: Error | undefined): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    this.options.onDisconnected?.(error);
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.connect(), this.nextWait());
  }

  /** Longer each time, and never all clients at the same moment. */
  private nextWait(): number {
    const longest = Math.min(this.options.longestWait ?? 15_000, 250 * 2 ** this.attempts++);
    return Math.random() * longest;
  }

  private async token(): Promise<string> {
    const token = this.options.token!;
    return typeof token === "function" ? token() : token;
  }

  private async renew(connection: HubConnection): Promise<void> {
    if (typeof this.options.token !== "function") return;
    try {
      await connection.invoke("Refresh", await this.token());
    } catch {
      // The server will close the connection, and the next one asks for a token again.
    }
  }
}
