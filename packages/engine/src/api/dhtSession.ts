import type { Endpoint } from '../address/endpoint.ts'
import type { DhtLiveNode } from '../alerts/dhtReports.ts'
import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import type { Entry } from '../bencode/entry.ts'
import type { Ed25519Keypair } from '../crypto/ed25519.ts'
import { type DhtState, readDhtState, writeDhtState } from '../dht/dhtState.ts'
import type { SampledInfohashes } from '../dht/nodeLookups.ts'
import { torrentItem } from '../dht/torrentItem.ts'
import type { SessionCore } from '../session/sessionCore.ts'
import type { Sha1Hash } from '../util/digest.ts'
import { bytesOf, DhtCalls, type DhtMutableItem, type DhtPutResult, type DhtSalt } from './dhtCalls.ts'
import { type DhtSettings, dhtSettingsOf, withDhtPrefix } from './dhtSettings.ts'
import { MutableTorrents } from './mutableTorrents.ts'
import { NetworkSession } from './networkSession.ts'

/** What of `Session` is about the DHT: its life, its nodes, and what is asked of it and kept in it. */
export abstract class DhtSession extends NetworkSession {
  protected readonly mutableTorrents: MutableTorrents
  private readonly calls: DhtCalls

  protected constructor(core: SessionCore) {
    super(core)
    const dht = () => core.discovery.dht.dht
    this.calls = new DhtCalls(dht, core.alerts)
    this.mutableTorrents = new MutableTorrents(dht, core.timers)
  }

  /** Turns the DHT on (setting `enableDht`); `state` is what `dhtState` gave in an earlier run (manual, start_dht). */
  startDht(state?: Entry): void {
    if (state !== undefined) this.core.discovery.restoreDht(dhtStateOf(state))
    this.core.applySettings({ enableDht: true }, () => {})
  }

  /** Turns it off (manual, stop_dht). */
  stopDht(): void {
    this.core.applySettings({ enableDht: false }, () => {})
  }

  get isDhtRunning(): boolean {
    return this.core.discovery.dht.isRunning
  }

  /** What to keep for the next run: ids and nodes, in libtorrent's format (manual, dht_state). Null while it is off. */
  dhtState(): Entry | null {
    const { dht } = this.core.discovery.dht
    return dht === null ? null : writeDhtState(dht.saveState())
  }

  /** The settings `dht*`, under the names of `dht_settings` (1.0, get_dht_settings). */
  getDhtSettings(): DhtSettings {
    return dhtSettingsOf(this.core.settings)
  }

  /** @throws TypeError or RangeError as `applySettings` does (manual, set_dht_settings) */
  setDhtSettings(changes: Partial<DhtSettings>): void {
    this.core.applySettings(withDhtPrefix(changes), () => {})
  }

  /** A node to try; `host` may be a name (manual, add_dht_node). */
  addDhtNode(node: { readonly host: string; readonly port: number }): void {
    this.core.discovery.addDhtNode(node.host, node.port)
  }

  /** A node to ask while no other is known; it never enters the routing table (manual, add_dht_router). */
  addDhtRouter(node: { readonly host: string; readonly port: number }): void {
    this.core.discovery.dht.addRouter(node.host, node.port)
  }

  /**
   * The immutable item at `target`, null when nobody has it; posts `dhtImmutableItem`. Or the newest mutable item of a
   * public key (32 bytes) and salt; posts `dhtMutableItem` (BEP 44; 1.0, dht_get_item).
   */
  dhtGetItem(target: Sha1Hash): Promise<Entry | null>
  dhtGetItem(key: Uint8Array, salt?: DhtSalt): Promise<DhtMutableItem | null>
  dhtGetItem(what: Sha1Hash | Uint8Array, salt: DhtSalt = ''): Promise<Entry | DhtMutableItem | null> {
    return what instanceof Uint8Array ? this.calls.getMutableItem(what, salt) : this.calls.getImmutableItem(what)
  }

  /**
   * Stores an item of up to 1000 bytes, bencoded, and tells at which target; posts `dhtPut` (BEP 44; 1.0, dht_put_item).
   * The DHT forgets it after two hours unless it is stored again.
   * With keys it is a mutable one: `update` gets what is there, or null, and returns what shall be.
   */
  dhtPutItem(item: Entry): Promise<DhtPutResult & { readonly target: Sha1Hash }>
  dhtPutItem(
    keys: Ed25519Keypair,
    update: (current: DhtMutableItem | null) => Entry,
    salt?: DhtSalt,
  ): Promise<DhtPutResult & { readonly seq: number }>
  dhtPutItem(
    itemOrKeys: Entry | Ed25519Keypair,
    update?: (current: DhtMutableItem | null) => Entry,
    salt: DhtSalt = '',
  ): Promise<DhtPutResult> {
    return update === undefined
      ? this.calls.putImmutableItem(itemOrKeys as Entry)
      : this.calls.putMutableItem(itemOrKeys as Ed25519Keypair, update, salt)
  }

  /**
   * Which torrent the publisher of a key names now (BEP 46). Rejects with `timedOut` when nobody in the DHT knows for a
   * minute, `invalidInfoHash` when what is stored there is no torrent.
   */
  dhtGetTorrent(publicKey: Uint8Array, salt: DhtSalt = ''): Promise<Sha1Hash> {
    return this.mutableTorrents.find({ publicKey, salt: bytesOf(salt) })
  }

  /**
   * Names the newest version of a mutable torrent (BEP 46). The DHT forgets it after two hours unless somebody stores it
   * again; everyone who has added the torrent with `mutableTorrent` does.
   */
  dhtPutTorrent(
    keys: Ed25519Keypair,
    infoHash: Sha1Hash,
    salt: DhtSalt = '',
  ): Promise<DhtPutResult & { readonly seq: number }> {
    return this.calls.putMutableItem(keys, () => torrentItem(infoHash), salt)
  }

  /** The peers the DHT knows for an info-hash (1.2, dht_get_peers). */
  dhtGetPeers(infoHash: Sha1Hash): Promise<Endpoint[]> {
    return this.calls.getPeers(infoHash)
  }

  /** Tells the DHT that there is a peer for an info-hash at our address and `port` (1.2, dht_announce). */
  dhtAnnounce(infoHash: Sha1Hash, port: number, seed = false): Promise<DhtPutResult> {
    return this.calls.announce(infoHash, port, seed)
  }

  /** Asks one node for info-hashes it has peers for (BEP 51; 1.2, dht_sample_infohashes); null without an answer. */
  dhtSampleInfohashes(endpoint: Endpoint, target: Sha1Hash): Promise<SampledInfohashes | null> {
    return this.calls.sampleInfohashes(endpoint, target)
  }

  /** Sends a message of one's own to a node (1.1, dht_direct_request); null without an answer. */
  dhtDirectRequest(endpoint: Endpoint, query: Entry): Promise<Entry | null> {
    return this.calls.directRequest(endpoint, query)
  }

  /**
   * The nodes in the routing table of the node of ours that has this id (`dhtStats` tells the ids); also posts
   * `dhtLiveNodes` (1.1, dht_live_nodes). Empty when there is no such node.
   */
  dhtLiveNodes(nodeId: Sha1Hash): readonly DhtLiveNode[] {
    return this.calls.liveNodes(nodeId)
  }

  /** Posts a `dhtStats` for each of our nodes, one a listen socket; none while the DHT is off (1.1, post_dht_stats). */
  postDhtStats(): void {
    this.calls.postStats()
  }
}

/** The state as the DHT takes it; what makes no sense in it is left out. */
function dhtStateOf(state: Entry): DhtState {
  const decoded = bdecode(bencode(state))
  return readDhtState(decoded.ok ? decoded.root : null)
}
