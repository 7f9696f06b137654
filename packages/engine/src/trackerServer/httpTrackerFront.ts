import { decodeCompactEndpoint } from '../address/compactEndpoint.ts'
import { bencode } from '../bencode/bencode.ts'
import type { Entry, EntryObject } from '../bencode/entry.ts'
import type { HttpAnswer } from '../platform/httpServer.ts'
import { latin1, utf8 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { AnnounceQuery } from './announceQuery.ts'
import { type AnswerForm, readAnnounceQuery, readScrapeQuery } from './httpQuery.ts'
import { Refusal, type TrackerCore } from './trackerCore.ts'

/** Longest request target that is looked at: a scrape of 74 torrents has 5.5 kB. */
const MAX_TARGET = 8192

/** Minutes until one who asks too often should ask again (BEP 31). */
const RETRY_IN_MINUTES = 5

/** A tracker that is spoken to in HTTP requests (BEP 3, 7, 23, 24, 31, 48), without its sockets. */
export class HttpTrackerFront {
  private readonly query = new AnnounceQuery()

  constructor(private readonly core: TrackerCore) {}

  /** Answers a GET of `target` (path and query) from `address`. */
  answer(target: string, address: string, now: Millis): HttpAnswer {
    if (target.length > MAX_TARGET) return text(414, 'the request is too long')
    const mark = target.indexOf('?')
    const path = mark === -1 ? target : target.slice(0, mark)
    const parameters = mark === -1 ? '' : target.slice(mark + 1)
    if (this.query.source.parse(address).length === 0) return text(400, 'no address')
    if (path === '/announce') return this.announce(parameters, now)
    if (path === '/scrape') return this.scrape(parameters, now)
    return text(404, 'a BitTorrent tracker: /announce and /scrape')
  }

  private announce(parameters: string, now: Millis): HttpAnswer {
    const { core, query } = this
    const form = readAnnounceQuery(parameters, query)
    if (typeof form === 'string') {
      core.counters.refused++
      return failure(form)
    }
    const refusal = core.announce(query, now)
    if (refusal !== null) return failure(refusal)
    const { interval, minInterval } = core.rules
    const { source } = query
    return bencoded({
      complete: core.complete,
      downloaded: core.downloaded,
      incomplete: core.incomplete,
      interval,
      'min interval': minInterval,
      'external ip': source.bytes.slice(0, source.length),
      ...this.peers(form),
    })
  }

  /** Peers of the requester's own family first; those of the other one as far as there is room. */
  private peers(form: AnswerForm): EntryObject {
    const wanted = this.core.numWant(this.query)
    const family = this.query.source.length === 4 ? 4 : 16
    const own = this.peersOf(family, wanted, form)
    const others = this.peersOf(family === 4 ? 16 : 4, wanted - own.count, form)
    if (!form.compact) return { peers: [...own.long, ...others.long] }
    const [v4, v6] = family === 4 ? [own, others] : [others, own]
    return { peers: v4.compact, ...(v6.count > 0 && { peers6: v6.compact }) }
  }

  private peersOf(addressLength: 4 | 16, wanted: number, { compact, noPeerId }: AnswerForm) {
    const { core, query } = this
    core.choosePeers(query, addressLength, wanted)
    const { picker } = core
    const { count } = picker
    const table = core.store.tableOf(addressLength)
    const size = table.compactSize
    const endpoints = new Uint8Array(count * size)
    picker.writeEndpoints(endpoints, 0)
    const long: Entry[] = []
    for (let i = 0; i < count && !compact; i++) {
      const endpoint = decodeCompactEndpoint(endpoints.subarray(i * size, (i + 1) * size))
      if (endpoint === null) continue
      const id = noPeerId ? null : { 'peer id': table.peerId(picker.slot(i)) }
      long.push({ ip: endpoint.address, ...id, port: endpoint.port })
    }
    return { compact: endpoints, long, count }
  }

  private scrape(parameters: string, now: Millis): HttpAnswer {
    const refusal = this.core.scrape(this.query, now)
    if (refusal !== null) return failure(refusal)
    const hashes = readScrapeQuery(parameters)
    if (hashes.length === 0) return failure('a scrape needs info_hash: not all torrents are told at once')
    const files = new Map<string, Entry>()
    for (const hash of hashes) {
      const swarm = this.core.find(hash, 0)
      if (swarm === null) continue
      const { seeds, downloaded, downloaders } = swarm
      files.set(latin1(hash), { complete: seeds, downloaded, incomplete: downloaders })
    }
    return bencoded({ files, flags: { min_request_interval: this.core.rules.minInterval } })
  }
}

/** Failures are told in answers that have succeeded (BEP 3). */
function failure(reason: string): HttpAnswer {
  const retry = reason === Refusal.tooMany ? { 'retry in': RETRY_IN_MINUTES } : null
  return bencoded({ 'failure reason': reason, ...retry })
}

function bencoded(entry: EntryObject): HttpAnswer {
  return { status: 200, body: bencode(entry) }
}

function text(status: number, words: string): HttpAnswer {
  return { status, body: utf8(`${words}\n`) }
}
