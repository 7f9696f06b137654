import type { Millis } from '../util/flavored.ts'
import { ByteRate } from './byteRate.ts'

/** What went over the line, for status and statistics. Bytes without IP and UDP headers. */
export class DhtCounters {
  bytesIn = 0
  bytesOut = 0
  messagesIn = 0
  messagesOut = 0
  /** Not read, or not answered: blocked senders, no quota, no message. */
  messagesInDropped = 0
  messagesOutDropped = 0
  private readonly download: ByteRate
  private readonly upload: ByteRate

  constructor(now: Millis) {
    this.download = new ByteRate(now)
    this.upload = new ByteRate(now)
  }

  received(bytes: number, now: Millis): void {
    this.messagesIn++
    this.bytesIn += bytes
    this.download.add(bytes, now)
  }

  sent(bytes: number, now: Millis): void {
    this.messagesOut++
    this.bytesOut += bytes
    this.upload.add(bytes, now)
  }

  /** Bytes a second. */
  downloadRate(now: Millis): number {
    return this.download.rate(now)
  }

  uploadRate(now: Millis): number {
    return this.upload.rate(now)
  }
}
