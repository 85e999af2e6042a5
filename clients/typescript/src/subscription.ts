import { mergePatch } from "./mergePatch.js";
import type { Cursor, Refusal, StreamAnswer, StreamEvent, StreamRequest } from "./protocol.js";

export interface StreamOptions<TState> {
  /** An entity as GET answered it, with its `cursor`: its events continue from there and `state` follows them. */
  initial?: TState & { cursor: Cursor };
  /** Where to continue without a state, for those who keep cursors themselves. Without either: from now on. */
  after?: Cursor;
  /** Every event, once and in order. */
  onEvent?: (event: StreamEvent, state: TState | undefined) => void;
  /** The state is another: after an event, or because the log no longer reached back to the cursor. */
  onState?: (state: TState, why: "event" | "reset") => void;
  /** The stream isn't there, or isn't ours to see; it won't come. */
  onRefused?: (refusal: Refusal) => void;
  /** Access was withdrawn. */
  onRevoked?: () => void;
}

/** One stream as its listener sees it. It outlives connections: a new one continues after the cursor. */
export class Subscription<TState = unknown> {
  state: TState | undefined;
  cursor: Cursor | undefined;

  private held: StreamEvent[] | undefined;
  private derived = false;

  constructor(
    public stream: string,
    private readonly options: StreamOptions<TState>,
    private readonly leave: () => void,
  ) {
    if (options.initial) {
      const { cursor, ...state } = options.initial;
      this.state = state as TState;
      this.cursor = cursor;
    } else {
      this.cursor = options.after;
    }
  }

  close(): void {
    this.leave();
  }

  /** What to ask the hub for. Until it answers, events are held: they may overtake the answer. */
  request(): StreamRequest {
    this.held = [];
    return this.cursor ? { stream: this.stream, epoch: this.cursor.epoch, after: this.cursor.seq } : { stream: this.stream };
  }

  /** Returns false if the stream is refused for good. */
  answered(answer: StreamAnswer): boolean {
    const held = this.held ?? [];
    this.held = undefined;
    if (answer.refused) {
      if (answer.refused.code === "database_unavailable" || answer.refused.code === "slow_down") throw new Error(answer.refused.detail);
      this.options.onRefused?.(answer.refused);
      return false;
    }
    this.derived = answer.derived ?? false;
    if (answer.reset) {
      this.cursor = { epoch: answer.epoch!, seq: answer.newest! };
      this.state = answer.state as TState;
      this.options.onState?.(this.state, "reset");
    } else {
      this.cursor ??= { epoch: answer.epoch!, seq: answer.seq! };
    }
    for (const event of held) this.take(event);
    return true;
  }

  /** Returns false if an event is missing before this one: the connection is then not to be trusted. */
  take(event: StreamEvent): boolean {
    if (event.seq === 0) {
      // Stored nowhere: no place to go on from.
      this.options.onEvent?.(event, this.state);
      return true;
    }
    if (this.held) {
      this.held.push(event);
      return true;
    }
    if (this.derived) {
      if (this.cursor?.epoch === event.epoch) return true;
    } else if (this.cursor) {
      if (event.epoch === this.cursor.epoch && event.seq <= this.cursor.seq) return true;
      if (event.epoch !== this.cursor.epoch || event.seq !== this.cursor.seq + 1) return false;
    }
    this.cursor = { epoch: event.epoch, seq: event.seq };
    const changes = (event.data as { changes?: unknown } | null)?.changes;
    const moved = changes !== undefined && (this.state !== undefined || event.seq === 1);
    if (moved) this.state = mergePatch(this.state, changes) as TState;
    this.options.onEvent?.(event, this.state);
    if (moved) this.options.onState?.(this.state as TState, "event");
    return true;
  }

  revoked(): void {
    this.options.onRevoked?.();
  }
}
