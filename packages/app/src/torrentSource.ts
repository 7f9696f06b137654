import { type FileHandle, lstat, open } from 'node:fs/promises'
import { LibtorrentError, type MagnetParams, parseMagnetUri, type Sha1Hash, TorrentInfo } from 'libtorrent-ts'
import { CliError, reasonOf } from './cliError.ts'
import { DIRECT, type Network } from './options/proxyOptions.ts'

/** Largest .torrent that is read: 100,000 files and 100 GiB in 64 KiB pieces need about 40 MB. */
const MAX_FILE_BYTES = 100 * 1024 * 1024

/** What web pages begin with. */
const LESS_THAN = 0x3c

/** What a torrent is known by: its .torrent, or a link to it. */
export type TorrentSource =
  | { readonly kind: 'torrent'; readonly info: TorrentInfo }
  | { readonly kind: 'magnet'; readonly uri: string; readonly magnet: MagnetParams }

/** An info-hash as people pass it on. */
const INFO_HASH = /^(?:[0-9a-f]{40}|[a-z2-7]{32})$/i

/** Reads what the user named: a .torrent file, a magnet link, an info-hash, or the URL of a .torrent, which `network` leads to. */
export async function readSource(text: string, network: Network = DIRECT): Promise<TorrentSource> {
  if (/^magnet:/i.test(text)) return { kind: 'magnet', uri: text, magnet: parseLink(text) }
  if (INFO_HASH.test(text) && (await lstat(text).catch(() => null)) === null) {
    return readSource(`magnet:?xt=urn:btih:${text}`)
  }
  if (/^[a-z]+:\/\//i.test(text) && !/^https?:/i.test(text)) {
    throw new CliError(`${text}: a URL begins with http:// or https://, or is a magnet link.`)
  }
  if (!/^https?:\/\//i.test(text)) return { kind: 'torrent', info: parseTorrent(await readTorrentFile(text), text) }
  if (!URL.canParse(text)) throw new CliError(`${text}: this is no valid URL. It looks like http://host/file.torrent.`)
  const { fetchTorrent } = await import('./fetchTorrent.ts')
  return { kind: 'torrent', info: parseTorrent(await fetchTorrent(text, network), text) }
}

/** As `readSource`, for commands that need to know the files. `why` ends the sentence "The .torrent is needed ...". */
export async function readTorrent(text: string, why: string, network: Network = DIRECT): Promise<TorrentInfo> {
  const source = await readSource(text, network)
  if (source.kind === 'torrent' && source.info.isValid) return source.info
  throw new CliError(`A magnet link does not say which files there are. The .torrent is needed ${why}.`)
}

/** @throws CliError for a link that does not tell it */
export function infoHashOf(source: TorrentSource): Sha1Hash {
  const { infoHash } = source.kind === 'torrent' ? source.info : source.magnet
  if (infoHash !== null) return infoHash
  if (source.kind === 'magnet' && source.magnet.mutableTorrent !== null) {
    throw new CliError(
      'This link is to the newest version of a torrent, which only the DHT knows. lt download asks it and tells the info-hash.',
    )
  }
  throw new CliError('This link is to a torrent of version 2 only, which is not supported: it has no xt=urn:btih:.')
}

function parseLink(text: string): MagnetParams {
  const magnet = parseMagnetUri(text)
  if (!(magnet instanceof LibtorrentError)) return magnet
  throw new CliError(
    `This magnet link cannot be used: ${reasonOf(magnet)}. It has to contain xt=urn:btih: and 40 hexadecimal digits. ` +
      'In a shell it needs quotes around it.',
    1,
    { cause: magnet },
  )
}

async function readTorrentFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path)
    try {
      return await readLimited(file, path)
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    throw new CliError(`${path}: ${reasonOf(cause)}${fileHint(cause)}`, 1, { cause })
  }
}

/** The size of a pipe or device is known only when it has been read. */
async function readLimited(file: FileHandle, path: string): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_FILE_BYTES) throw new CliError(`${path}: it is too large for a .torrent.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function fileHint(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException
  return code === 'EISDIR' ? '. Give the .torrent; lt create makes one of a directory.' : ''
}

function parseTorrent(bytes: Uint8Array, from: string): TorrentInfo {
  const info = TorrentInfo.parse(bytes)
  if (info instanceof LibtorrentError) {
    const hint = bytes[0] === LESS_THAN ? '. It looks like a web page.' : ''
    throw new CliError(`${from}: this is no valid .torrent: ${reasonOf(info)}${hint}`, 1, { cause: info })
  }
  return info
}
