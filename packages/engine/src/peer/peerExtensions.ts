import {
  decodeExtensionHandshake,
  type ExtensionHandshake,
  encodeExtensionHandshake,
} from '../wire/extensionHandshake.ts'

/** The extensions we speak and the ids under which peers send us their messages (BEP 10). */
const OUR_IDS: ReadonlyMap<string, number> = new Map([
  ['ut_pex', 1],
  ['ut_metadata', 2],
  ['upload_only', 3],
  ['ut_holepunch', 4],
  ['lt_donthave', 7],
  ['i2p_pex', 9],
  ['LT_metadata', 14],
  ['lt_tex', 19],
])
const NAMES: ReadonlyMap<number, string> = new Map([...OUR_IDS].map(([name, id]) => [id, name]))

/** What the two sides of a connection told each other in their extension handshakes. */
export class PeerExtensions {
  /** Client name and version the peer gave, escaped nowhere: it is a stranger's text. */
  client = ''
  /** Port the peer listens on, 0 when it did not say. */
  listenPort = 0
  /** Requests the peer is willing to queue. */
  maxRequests = 250
  /** Size of the info section the peer offers, 0 when it has none. */
  metadataSize = 0
  isUploadOnly = false
  /** Our address as the peer sees it, empty when it did not say. */
  yourAddress = ''
  /** Hash of the peer's list of trackers, 20 bytes (BEP 28); null when it did not say. */
  trackersHash: Uint8Array | null = null
  private remoteIds = new Map<string, number>()

  /** Name of the extension behind one of our ids. */
  static nameOf(id: number): string | null {
    return NAMES.get(id) ?? null
  }

  /** Id under which the peer wants messages of `name`, 0 when it does not speak it. */
  remoteId(name: string): number {
    return this.remoteIds.get(name) ?? 0
  }

  /** @param without names of extensions that are not offered to this peer. */
  encodeHandshake(handshake: ExtensionHandshake, without: readonly string[] = []): Uint8Array {
    const messages = without.length === 0 ? OUR_IDS : new Map([...OUR_IDS].filter(([name]) => !without.includes(name)))
    return encodeExtensionHandshake({ ...handshake, messages })
  }

  /** A second handshake changes what it mentions (BEP 10). One that cannot be read is ignored, as libtorrent does. */
  onHandshake(payload: Uint8Array): void {
    const handshake = decodeExtensionHandshake(payload)
    if (handshake === null) return
    for (const [name, id] of handshake.messages ?? []) {
      // What we do not speak is of no use, and would pile up from handshake to handshake.
      if (!OUR_IDS.has(name)) continue
      if (id === 0) this.remoteIds.delete(name)
      else this.remoteIds.set(name, id)
    }
    this.client = handshake.client ?? this.client
    this.listenPort = handshake.listenPort ?? this.listenPort
    this.maxRequests = handshake.maxRequests ?? this.maxRequests
    this.metadataSize = handshake.metadataSize ?? this.metadataSize
    this.isUploadOnly = handshake.isUploadOnly ?? this.isUploadOnly
    this.yourAddress = handshake.yourAddress ?? this.yourAddress
    this.trackersHash = handshake.trackersHash ?? this.trackersHash
  }
}
