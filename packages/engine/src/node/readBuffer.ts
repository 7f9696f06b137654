/** Large enough that a fast sender fills it in one system call, small enough to stay in the processor's cache. */
const READ_BUFFER_BYTES = 256 * 1024

const shared = process.platform === 'win32' ? null : new Uint8Array(READ_BUFFER_BYTES)

/**
 * What a socket reads into (`onread`). A read lands in the buffer and is handed on within one callback, so that all sockets
 * of the thread can share one - except on Windows, where the system fills a socket's buffer while other callbacks run.
 */
export function readBuffer(): Uint8Array {
  return shared ?? new Uint8Array(READ_BUFFER_BYTES)
}
