/** A client that a WebSocket server has accepted. */
export interface WebSocketClient {
  /** Where it comes from. */
  readonly address: string
  /** Bytes given to `send` that have not left. */
  readonly unsentBytes: number
  /** A text message; dropped once it is closed. */
  send(text: string): void
  /** Ends it; its handler is told, later. */
  close(): void
}

/** Told of one client, later, never from inside a call to it. */
export interface WebSocketClientHandler {
  /** A text message, or a binary one that is UTF-8. */
  onMessage(text: string): void
  /** It is gone, whoever ended it. Called once, and nothing after it. */
  onClosed(): void
}

/** What answers WebSockets at the port of an HTTP server. */
export interface WebSocketService {
  /** There are as many clients as there may be: more are refused while they still speak HTTP. */
  readonly isFull: boolean
  /** Largest message taken, bytes; a larger one is the end of its client. */
  readonly maxMessageBytes: number
  /** Whether WebSockets are spoken at this path. */
  serves(path: string): boolean
  accept(client: WebSocketClient): WebSocketClientHandler
}
