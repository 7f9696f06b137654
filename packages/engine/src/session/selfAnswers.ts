import type { Timers } from '../platform/clock.ts'
import type { Stream } from '../platform/tcp.ts'
import type { Millis } from '../util/flavored.ts'
import { encodeHandshake, type Handshake } from '../wire/handshake.ts'
import { IGNORE } from './refuseStream.ts'

/** Anybody can claim to be us: so many are answered at a time. */
const MOST_AT_ONCE = 10
/** Nobody who takes a handshake at all takes longer. */
const LONGEST: Millis = 10_000

/**
 * Answers connections on which we hear our own peer id, before they are closed. Nothing on this side says which of our
 * attempts it belongs to: routers and proxies change addresses. The half that dialled hears who answers, and then knows
 * which endpoint is ours.
 */
export class SelfAnswers {
  private underWay = 0

  constructor(private readonly timers: Timers) {}

  /** `handshake` has come on `stream`, and is as good an answer. */
  answer(stream: Stream, handshake: Handshake): void {
    if (this.underWay >= MOST_AT_ONCE) return stream.destroy()
    this.underWay++
    let isOpen = true
    const close = () => {
      if (!isOpen) return
      isOpen = false
      this.underWay--
      timer.cancel()
      stream.destroy()
    }
    const timer = this.timers.after(LONGEST, close)
    stream.setHandler({ ...IGNORE, onClosed: close })
    stream.write(encodeHandshake(handshake), close)
  }
}
