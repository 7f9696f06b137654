import type { Millis, Seconds, UnixSeconds } from '../util/flavored.ts'

/** A span of time that adds up over several stretches. */
export class Stopwatch {
  private before: Millis = 0
  private since: Millis | null = null

  /** Seconds in all, the running stretch included. */
  seconds(now: Millis): Seconds {
    return Math.floor((this.before + (this.since === null ? 0 : now - this.since)) / 1000)
  }

  setSeconds(seconds: Seconds): void {
    this.before = seconds * 1000
  }

  /** Starts or stops; the same again changes nothing. */
  run(running: boolean, now: Millis): void {
    if (running === (this.since !== null)) return
    if (this.since !== null) this.before += now - this.since
    this.since = running ? now : null
  }
}

/** What a torrent adds up over its whole life, across sessions by way of resume data. */
export class TorrentCounters {
  /** Payload of earlier sessions. */
  earlierUpload = 0
  earlierDownload = 0
  /** Received and thrown away: pieces that failed, blocks received twice or not asked for. */
  failedBytes = 0
  redundantBytes = 0
  readonly activeTime = new Stopwatch()
  readonly finishedTime = new Stopwatch()
  readonly seedingTime = new Stopwatch()
  addedTime: UnixSeconds = 0
  completedTime: UnixSeconds = 0
  lastSeenComplete: UnixSeconds = 0
  lastUpload: UnixSeconds = 0
  lastDownload: UnixSeconds = 0
}
