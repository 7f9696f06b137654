import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'

/** A connection that is not even tried: it fails at the next turn. */
export class FailedStream implements Stream {
  readonly local = null
  readonly unsentBytes = 0
  private readonly timer: Timer

  constructor(
    private readonly timers: Timers,
    readonly socketType: SocketType,
    readonly remote: Endpoint,
    error: LibtorrentError,
    private handler: StreamHandler,
  ) {
    this.timer = timers.after(0, () => this.handler.onClosed(error))
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
  }

  write(_bytes: Uint8Array, onSent?: () => void): boolean {
    if (onSent !== undefined) this.timers.after(0, onSent)
    return false
  }

  cork(): void {}

  uncork(): void {}

  pauseReading(): void {}

  resumeReading(): void {}

  end(): void {
    this.timer.cancel()
  }

  destroy(): void {
    this.timer.cancel()
  }
}
