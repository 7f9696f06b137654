/** Bytes that all data channels together may hold while nobody takes them. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/**
 * Bytes that one of them may hold. Nobody can be told to stop sending on a data channel, and a peer that is read from no
 * more, since our disk is behind, still sends what it was asked for: 500 blocks of 16 KiB at most (setting
 * `max_out_request_queue`), which are 8 MiB.
 */
const MAX_HELD_BYTES_EACH = 10 * 1024 * 1024

/** What has arrived on data channels and waits to be read, over all of them. */
export class ReceiveBudget {
  private held = 0

  constructor(
    private readonly limit = MAX_HELD_BYTES,
    private readonly limitEach = MAX_HELD_BYTES_EACH,
  ) {}

  /** A channel that holds `heldBefore` bytes is to hold `bytes` more. False: it must not. */
  take(bytes: number, heldBefore: number): boolean {
    if (heldBefore + bytes > this.limitEach || this.held + bytes > this.limit) return false
    this.held += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.held -= bytes
  }
}
