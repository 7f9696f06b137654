import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { makeMagnetUri, Sha1Hash } from 'libtorrent-ts'
import { CliError, reasonOf, USAGE_EXIT_CODE } from '../cliError.ts'
import { hexOf, itemFields, itemLines } from '../dht/dhtItem.ts'
import { type DhtOptions, withDht } from '../dht/dhtSession.ts'
import { createKeyFile, readKeyFile } from '../dht/keyFile.ts'
import { type HostAndPort, hostAndPortText, resolveHost } from '../options/hostAndPort.ts'
import { formatCount, plural } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { infoHashOf, readSource } from '../torrentSource.ts'

/** Options of `lt dht put` as commander gives them. */
export interface DhtPutOptions extends DhtOptions {
  readonly file?: string
  readonly key?: string
  readonly salt?: string
}

/** Options of `lt dht publish` as commander gives them. */
export interface DhtPublishOptions extends DhtOptions {
  readonly key: string
  readonly salt?: string
}

/** A salt of a mutable item has up to 64 bytes (BEP 44). */
const MAX_SALT_BYTES = 64
/** A value has up to 1000 bytes when it is bencoded: `996:` and the text. */
const MAX_TEXT_BYTES = 996

/** `lt dht get`: prints an item, immutable by its target, mutable by its public key and salt. */
export async function dhtGet(name: string, options: DhtOptions, output: Output): Promise<number> {
  const [, hex, salt] = /^([0-9a-f]{64}|[0-9a-f]{40})(?::(.*))?$/is.exec(name) ?? []
  if (hex === undefined || (hex.length === 40 && salt !== undefined)) {
    throw new CliError(
      `${name}: an item is named by its target (40 hexadecimal digits) or by a public key (64), with :SALT if it has one.`,
      USAGE_EXIT_CODE,
    )
  }
  if (hex.length === 40) {
    const target = Sha1Hash.fromHex(hex.toLowerCase())
    const item = await withDht(options, output, (session) => session.dhtGetItem(target))
    if (item === null) throw notFound(name)
    output.report({ type: 'item', target, ...itemFields(item) }, itemLines(item))
    return 0
  }
  checkSalt(salt)
  const found = await withDht(options, output, (session) => session.dhtGetItem(Buffer.from(hex, 'hex'), salt))
  if (found === null) throw notFound(name)
  const { item, key, seq } = found
  output.report({ type: 'item', key: hexOf(key), salt: salt ?? '', seq, ...itemFields(item) }, itemLines(item))
  return 0
}

/** `lt dht put`: stores a text or a small file for two hours. */
export async function dhtPut(text: string | undefined, options: DhtPutOptions, output: Output): Promise<number> {
  const value = await bytesToStore(text, options)
  checkSalt(options.salt)
  if (options.key === undefined) {
    if (options.salt !== undefined) throw new CliError('--salt is of items with a --key.', USAGE_EXIT_CODE)
    const { target, numSuccess } = await withDht(options, output, (session) => session.dhtPutItem(value))
    if (numSuccess === 0) throw notTaken()
    output.report({ type: 'stored', target, nodes: numSuccess }, [
      `Stored by ${plural(numSuccess, 'node')}. To read it: lt dht get ${target}`,
    ])
    return 0
  }
  const keys = await readKeyFile(options.key)
  const { salt = '' } = options
  const { seq, numSuccess } = await withDht(options, output, (session) => session.dhtPutItem(keys, () => value, salt))
  if (numSuccess === 0) throw notTaken()
  const key = hexOf(keys.publicKey)
  output.report({ type: 'stored', key, salt, seq, nodes: numSuccess }, [
    `Stored by ${plural(numSuccess, 'node')}, version ${seq}. To read it: lt dht get ${key}${salt === '' ? '' : `:${salt}`}`,
  ])
  return 0
}

/** `lt dht publish`: names a torrent as the newest version of what a key stands for (BEP 46). */
export async function dhtPublish(source: string, options: DhtPublishOptions, output: Output): Promise<number> {
  const { key, salt = '' } = options
  checkSalt(salt)
  const infoHash = infoHashOf(await readSource(source))
  const keys = await readKeyFile(key)
  const { seq, numSuccess } = await withDht(options, output, (session) => session.dhtPutTorrent(keys, infoHash, salt))
  if (numSuccess === 0) throw notTaken()
  const mutableTorrent = { publicKey: keys.publicKey, salt: Buffer.from(salt) }
  const uri = makeMagnetUri({ infoHash: null, mutableTorrent })
  output.report({ type: 'published', infoHash, key: hexOf(keys.publicKey), salt, seq, nodes: numSuccess, uri }, [
    `Stored by ${plural(numSuccess, 'node')}, version ${seq}. The link to the newest version:`,
    uri,
  ])
  return 0
}

/** `lt dht key`: makes a key file. */
export async function dhtKey(path: string, output: Output): Promise<number> {
  const key = hexOf((await createKeyFile(path)).publicKey)
  output.report({ type: 'key', file: path, key }, [`Created ${path}. Whoever has it can change the items of`, key])
  return 0
}

/** `lt dht peers`: who has a torrent. */
export async function dhtPeers(source: string, options: DhtOptions, output: Output): Promise<number> {
  const infoHash = infoHashOf(await readSource(source))
  const peers = await withDht(options, output, (session) => session.dhtGetPeers(infoHash))
  if (peers.length === 0 && output.mode !== 'json') throw new CliError(`The DHT knows no peer of ${infoHash}.`)
  const texts = peers.map(({ address, port }) => hostAndPortText({ host: address, port }))
  output.report({ type: 'peers', infoHash, peers }, texts)
  return peers.length === 0 ? 1 : 0
}

/** `lt dht sample`: torrents a node knows peers of (BEP 51). */
export async function dhtSample(node: HostAndPort, options: DhtOptions, output: Output): Promise<number> {
  const endpoints = await resolveHost(node, '')
  const endpoint = endpoints.find(({ address }) => isIP(address) === 4) ?? endpoints[0]
  const target = new Sha1Hash(crypto.getRandomValues(new Uint8Array(20)))
  const dhtRouter = options.dhtRouter ?? [node]
  const sample = await withDht({ ...options, dhtRouter }, output, (session) =>
    session.dhtSampleInfohashes(endpoint, target),
  )
  if (sample === null)
    throw new CliError(`${hostAndPortText(node)} gives no samples: it did not answer, or not as BEP 51 says.`)
  const { num, interval, samples, nodes } = sample
  const infoHashes = samples.map(hexOf)
  output.report({ type: 'sample', num, interval, infoHashes, nodes: nodes.map(({ endpoint }) => endpoint) }, [
    ...infoHashes,
    `${formatCount(infoHashes.length)} of ${plural(num, 'torrent')}; it may be asked again in ${formatCount(interval)} s.`,
  ])
  return 0
}

async function bytesToStore(text: string | undefined, { file }: DhtPutOptions): Promise<string | Uint8Array> {
  if ((text === undefined) === (file === undefined)) {
    throw new CliError('What is to be stored? Give a text, or --file FILE.', USAGE_EXIT_CODE)
  }
  let bytes: Uint8Array
  try {
    bytes = file === undefined ? Buffer.from(text ?? '') : await readFile(file)
  } catch (cause) {
    throw new CliError(`${file}: ${reasonOf(cause)}`, 1, { cause })
  }
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new CliError(`An item has up to ${MAX_TEXT_BYTES} bytes, and this has ${formatCount(bytes.length)}.`)
  }
  return bytes
}

function checkSalt(salt = ''): void {
  const { length } = Buffer.from(salt)
  if (length > MAX_SALT_BYTES) {
    throw new CliError(`A salt has up to ${MAX_SALT_BYTES} bytes, and this has ${length}.`, USAGE_EXIT_CODE)
  }
}

function notFound(name: string): CliError {
  return new CliError(`${name}: nobody has it. Items are forgotten after two hours unless they are put again.`)
}

function notTaken(): CliError {
  return new CliError('No node took it. Try again.')
}
