import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import {
  DhtImmutableItemAlert,
  DhtLiveNodesAlert,
  DhtMutableItemAlert,
  DhtPutAlert,
  DhtStatsAlert,
} from '../alerts/dhtAlerts.ts'
import type { DhtLiveNode } from '../alerts/dhtReports.ts'
import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import { type Entry, toEntry } from '../bencode/entry.ts'
import type { Ed25519Keypair } from '../crypto/ed25519.ts'
import type { Dht } from '../dht/dht.ts'
import { MAX_SEQUENCE_NUMBER, type MutableItem } from '../dht/mutableItem.ts'
import type { SampledInfohashes } from '../dht/nodeLookups.ts'
import { utf8 } from '../util/bytes.ts'
import type { Sha1Hash } from '../util/digest.ts'

/** A mutable item of the DHT (BEP 44). */
export interface DhtMutableItem {
  readonly item: Entry
  /** 32 bytes: who may change it. */
  readonly key: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
  /** Grows with each change; beyond 2^53 it is not exact. */
  readonly seq: number
  readonly salt: Uint8Array
}

/** What became of a `dhtPutItem`. */
export interface DhtPutResult {
  /** Nodes that took it: up to eight for each of our nodes. */
  readonly numSuccess: number
}

/** A salt as text or bytes, up to 64 of them: one key can have many items. */
export type DhtSalt = Uint8Array | string

/**
 * What users ask of the DHT: each call is a promise, and posts libtorrent's alert.
 * All of them throw while the DHT does not run.
 */
export class DhtCalls {
  constructor(
    private readonly running: () => Dht | null,
    private readonly alerts: AlertSink,
  ) {}

  getImmutableItem(target: Sha1Hash): Promise<Entry | null> {
    const dht = this.dht()
    return new Promise((resolve) => {
      dht.getImmutableItem(target, (value) => {
        const item = value === null ? null : decoded(value)
        this.alerts.post(new DhtImmutableItemAlert({ target, item }))
        resolve(item)
      })
    })
  }

  getMutableItem(key: Uint8Array, saltOrText: DhtSalt): Promise<DhtMutableItem | null> {
    const dht = this.dht()
    const salt = bytesOf(saltOrText)
    return new Promise((resolve) => {
      dht.getMutableItem(key, salt, (stored, authoritative) => {
        const found = stored === null ? null : itemOf(stored)
        const none = { key, salt, signature: null, seq: 0, item: null }
        this.alerts.post(new DhtMutableItemAlert({ ...(found ?? none), authoritative }))
        if (authoritative) resolve(found)
      })
    })
  }

  putImmutableItem(item: Entry): Promise<DhtPutResult & { readonly target: Sha1Hash }> {
    const dht = this.dht()
    const value = bencode(item)
    return new Promise((resolve) => {
      const target: Sha1Hash = dht.putImmutableItem(value, (numSuccess) => {
        this.alerts.post(new DhtPutAlert({ target, numSuccess }))
        resolve({ target, numSuccess })
      })
    })
  }

  async putMutableItem(
    { publicKey, secretKey }: Ed25519Keypair,
    update: (current: DhtMutableItem | null) => Entry,
    saltOrText: DhtSalt,
  ): Promise<DhtPutResult & { readonly seq: number }> {
    // Who never signs never waits for the code of the curve.
    const { signMutableItem } = await import('../dht/signMutableItem.ts')
    const dht = this.dht()
    const salt = bytesOf(saltOrText)
    return new Promise((resolve, reject) => {
      const next = (current: MutableItem | null): MutableItem | null => {
        try {
          const seq = current === null ? 1n : current.seq + 1n
          if (seq > MAX_SEQUENCE_NUMBER) throw new RangeError('the item has been changed as often as it can be')
          const value = bencode(update(current === null ? null : itemOf(current)))
          return signMutableItem(value, salt, seq, publicKey, secretKey)
        } catch (cause) {
          reject(cause)
          return null
        }
      }
      dht.putMutableItem(publicKey, salt, next, (stored, numSuccess) => {
        const seq = Number(stored?.seq ?? 0n)
        const signature = stored?.signature
        this.alerts.post(new DhtPutAlert({ target: null, publicKey, signature, salt, seq, numSuccess }))
        resolve({ seq, numSuccess })
      })
    })
  }

  getPeers(infoHash: Sha1Hash): Promise<Endpoint[]> {
    const dht = this.dht()
    const peers = new Map<string, Endpoint>()
    return new Promise((resolve) => {
      dht.getPeers(
        infoHash,
        {},
        {
          onPeers: (found) => {
            for (const peer of found) peers.set(`${peer.address} ${peer.port}`, peer)
          },
          onDone: () => resolve([...peers.values()]),
        },
      )
    })
  }

  announce(infoHash: Sha1Hash, port: number, seed: boolean): Promise<DhtPutResult> {
    const dht = this.dht()
    return new Promise((resolve) => {
      dht.announce(infoHash, { port, seed }, { onDone: (numSuccess) => resolve({ numSuccess }) })
    })
  }

  sampleInfohashes(endpoint: Endpoint, target: Sha1Hash): Promise<SampledInfohashes | null> {
    const dht = this.dht()
    return new Promise((resolve) => dht.sampleInfohashes(endpoint, target, resolve))
  }

  directRequest(endpoint: Endpoint, query: Entry): Promise<Entry | null> {
    const dht = this.dht()
    return new Promise((resolve) => {
      dht.directRequest(endpoint, query, (response) => resolve(response === null ? null : toEntry(response)))
    })
  }

  liveNodes(nodeId: Sha1Hash): readonly DhtLiveNode[] {
    const nodes = this.running()?.liveNodes(nodeId) ?? []
    this.alerts.post(new DhtLiveNodesAlert({ nodeId, nodes }))
    return nodes
  }

  postStats(): void {
    for (const node of this.running()?.status().nodes ?? []) {
      const { activeRequests, table: routingTable, ourId: nid, localEndpoint } = node
      this.alerts.post(new DhtStatsAlert({ activeRequests, routingTable, nid, localEndpoint }))
    }
  }

  private dht(): Dht {
    const dht = this.running()
    if (dht === null) throw new Error('the DHT does not run: it needs the setting enableDht, and listen sockets')
    return dht
  }
}

function itemOf({ value, publicKey, signature, seq, salt }: MutableItem): DhtMutableItem {
  return { item: decoded(value), key: publicKey, signature, seq: Number(seq), salt }
}

/** The DHT gives out nothing that is not bencoded. */
function decoded(value: Uint8Array): Entry {
  const result = bdecode(value)
  return result.ok ? toEntry(result.root) : value
}

/** The bytes of a salt. */
export function bytesOf(salt: DhtSalt): Uint8Array {
  return typeof salt === 'string' ? utf8(salt) : salt
}
