/** One event of one stream. `seq` is dense per stream and epoch; what is stored nowhere (`typing`) has 0. */
export interface StreamEvent<TData = Record<string, unknown>> {
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly data: TData;
}

/** Up to where a stream is known: what `GET` answers as `cursor`, and what a resume begins after. */
export interface Cursor {
  readonly epoch: string;
  readonly seq: number;
}

/** Why a stream can't be had. */
export interface Refusal {
  readonly code: string;
  readonly detail: string;
}

export interface StreamRequest {
  readonly stream: string;
  readonly epoch?: string;
  readonly after?: number;
}

/** What the hub answers to Subscribe, for each stream one of its forms. */
export interface StreamAnswer {
  readonly stream: string;
  readonly epoch?: string;
  readonly seq?: number;
  readonly replayed?: number;
  readonly derived?: boolean;
  readonly reset?: boolean;
  readonly oldest?: number;
  readonly newest?: number;
  readonly state?: unknown;
  readonly refused?: Refusal;
}
