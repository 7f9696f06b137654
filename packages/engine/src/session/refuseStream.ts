import type { Stream, StreamHandler } from '../platform/tcp.ts'

/** Hears of nothing: until somebody else takes the stream over. */
export const IGNORE: StreamHandler = { onConnected() {}, onData() {}, onDrain() {}, onClosed() {} }

/** Closes a connection that nobody takes. */
export function refuseStream(stream: Stream): void {
  stream.setHandler(IGNORE)
  stream.destroy()
}
