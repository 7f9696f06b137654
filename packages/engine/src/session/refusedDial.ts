import type { Endpoint } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'

/** A connection that was not even tried: its handler learns that it failed, as it would of any other. */
export class RefusedDial implements Stream {
  readonly socketType = SocketType.tcp
  readonly local = null
  readonly unsentBytes = 0
  private readonly timer: Timer

  constructor(
    timers: Timers,
    readonly remote: Endpoint,
    private handler: StreamHandler,
    error: LibtorrentError,
  ) {
    this.timer = timers.after(0, () => this.handler.onClosed(error))
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
  }

  write(_bytes: Uint8Array, onSent?: () => void): boolean {
    onSent?.()
    return false
  }

  cork(): void {}

  uncork(): void {}

  pauseReading(): void {}

  resumeReading(): void {}

  end(): void {
    this.destroy()
  }

  destroy(): void {
    this.timer.cancel()
  }
}

/** None of the addresses we may connect from can serve. */
export function noWayOut(): LibtorrentError {
  return systemError(
    { code: 'EADDRNOTAVAIL', errno: 99, message: 'none of the addresses to connect from can reach it' },
    { operation: 'connect' },
  )
}
