import type { BNode } from '../bencode/bNode.ts'
import { EMPTY_BYTES, latin1 } from '../util/bytes.ts'
import { Sha1Hash } from '../util/digest.ts'
import { verifiedText } from './textEncoding.ts'
import { MAX_TIER, type NodeAddress, TrackerSource, type TrackerUrl, type WebSeedEntry } from './trackerUrl.ts'
import { encodedUrl, trackerUrlText } from './urlText.ts'

/** What a .torrent says outside its info dictionary. */
export interface OuterKeys {
  readonly trackers: TrackerUrl[]
  readonly webSeeds: WebSeedEntry[]
  readonly nodes: NodeAddress[]
  readonly comment: string
  readonly creator: string
  /** Seconds since 1970; null when absent. */
  readonly creationDate: number | null
  readonly similar: Sha1Hash[]
  readonly collections: string[]
}

/**
 * Reads the outer dictionary. What makes no sense is left out, and of each list what lies beyond `limit`.
 * `hasDirectory`: there are several files, so that a web seed is the URL of a directory (BEP 19).
 */
export function readOuterKeys(root: BNode, hasDirectory: boolean, limit: number): OuterKeys {
  const creationDate = root.getInt('creation date')
  return {
    trackers: readTrackers(root, limit),
    webSeeds: [
      ...readSeeds(root.get('url-list'), 'urlSeed', limit, hasDirectory),
      ...readSeeds(root.get('httpseeds'), 'httpSeed', limit, false),
    ],
    nodes: readNodes(root.getList('nodes'), limit),
    comment: verifiedText(root.getString('comment.utf-8') ?? root.getString('comment') ?? EMPTY_BYTES),
    creator: verifiedText(root.getString('created by.utf-8') ?? root.getString('created by') ?? EMPTY_BYTES),
    creationDate: creationDate !== null && creationDate >= 0 ? creationDate : null,
    similar: hashList(root.getList('similar')),
    collections: textList(root.getList('collections')),
  }
}

/** The strings of 20 bytes in a list. */
export function hashList(list: BNode | null): Sha1Hash[] {
  const hashes: Sha1Hash[] = []
  for (const item of list ?? []) {
    const bytes = item.asString()
    if (bytes?.length === Sha1Hash.size) hashes.push(new Sha1Hash(bytes))
  }
  return hashes
}

/** The strings in a list. */
export function textList(list: BNode | null): string[] {
  const texts: string[] = []
  for (const item of list ?? []) {
    const bytes = item.asString()
    if (bytes !== null) texts.push(verifiedText(bytes))
  }
  return texts
}

/** BEP 12: `announce` counts only where `announce-list` has nothing. */
function readTrackers(root: BNode, limit: number): TrackerUrl[] {
  const trackers = new Map<string, TrackerUrl>()
  let tierNumber = 0
  for (const list of root.getList('announce-list') ?? []) {
    const tier = Math.min(tierNumber++, MAX_TIER)
    for (const item of list) {
      if (trackers.size >= limit) break
      const url = trackerUrlText(item.asString() ?? EMPTY_BYTES)
      if (url !== '' && !trackers.has(url)) trackers.set(url, { url, tier, source: TrackerSource.torrent })
    }
  }
  if (trackers.size > 0) return [...trackers.values()]
  const url = trackerUrlText(root.getString('announce') ?? EMPTY_BYTES)
  return url === '' ? [] : [{ url, tier: 0, source: TrackerSource.torrent }]
}

/** One URL or a list of them (BEP 17, 19). */
function readSeeds(
  value: BNode | null,
  type: WebSeedEntry['type'],
  limit: number,
  hasDirectory: boolean,
): WebSeedEntry[] {
  if (value === null) return []
  const urls = new Set<string>()
  for (const item of value.type === 'string' ? [value] : value) {
    if (urls.size >= limit) break
    const url = encodedUrl(item.asString() ?? EMPTY_BYTES)
    if (url !== '') urls.add(hasDirectory && !url.endsWith('/') ? `${url}/` : url)
  }
  return Array.from(urls, (url) => ({ url, type }))
}

/** Pairs of host and port (BEP 5). */
function readNodes(list: BNode | null, limit: number): NodeAddress[] {
  const nodes: NodeAddress[] = []
  for (const pair of list ?? []) {
    if (nodes.length >= limit) break
    const host = pair.at(0)?.asString() ?? EMPTY_BYTES
    const port = pair.at(1)?.asInt() ?? 0
    if (host.length > 0 && host.length < 256 && port > 0 && port <= 0xffff) nodes.push({ host: latin1(host), port })
  }
  return nodes
}
