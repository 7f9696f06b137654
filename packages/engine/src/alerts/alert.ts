import type { UnixSeconds } from '../util/flavored.ts'

/**
 * Bits of the alert mask: which alerts are wanted (manual, "alerts"; libtorrent's `alert::category_t` without
 * `_notification`). An alert is posted when one of its bits is in the mask.
 */
export const AlertCategory = {
  /** Something failed: trackers, files, resume data, metadata, listen sockets. */
  error: 0x1,
  /** Peers that send invalid requests, get banned or snubbed. */
  peer: 0x2,
  /** Port mapping by UPnP and NAT-PMP. */
  portMapping: 0x4,
  /** Files: errors, moves, renames, deletions, and answers to requests for data. */
  storage: 0x8,
  /** Announces, scrapes, and their answers. */
  tracker: 0x10,
  /** Peers connecting and disconnecting: frequent. */
  debug: 0x20,
  /** A torrent or the session changed state. */
  status: 0x40,
  /** Blocks requested and received, pieces and files completed: very frequent. */
  progress: 0x80,
  /** Peers refused by a filter. */
  ipBlock: 0x100,
  /** A limit was reached that may cost speed. */
  performanceWarning: 0x200,
  /** Activity of the DHT node. */
  dht: 0x400,
  /** Transfer counters of every active torrent, once a second. */
  stats: 0x800,
  /** Every alert there is. */
  all: 0x7fffffff,
} as const

/** A fact about the session, in the past tense. */
export abstract class Alert {
  /** Bits of `AlertCategory`, known without building an alert: `sink.wants(TrackerErrorAlert.category)`. */
  static readonly category: number = 0

  /** Name of the kind in camelCase without "Alert"; narrows the union of all alerts. */
  abstract readonly type: string
  /** When it was posted, wall clock, whole seconds. Set by the queue. */
  timestamp: UnixSeconds = 0

  /** Bits of `AlertCategory`. */
  get category(): number {
    return (this.constructor as typeof Alert).category
  }

  /** libtorrent's name of the kind without `_alert`, such as `torrent_finished`. */
  what(): string {
    return this.type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  }

  /** One line for people, in English. Programs read the fields. */
  abstract message(): string
}
