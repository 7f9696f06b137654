import type { MagnetParams, TorrentInfo } from 'libtorrent-ts'
import { contentFiles } from '../contentFiles.ts'
import { hexOf } from '../dht/dhtItem.ts'
import { hostAndPortText } from '../options/hostAndPort.ts'
import { formatBytes, formatCount, formatPieceSize, plural } from '../output/format.ts'
import type { Output, OutputEvent } from '../output/output.ts'
import { certificateSubject } from '../rootCertificate.ts'
import { readSource } from '../torrentSource.ts'

/** `lt info`: what a .torrent or a magnet link says. */
export async function info(source: string, output: Output): Promise<number> {
  const torrent = await readSource(source)
  if (torrent.kind === 'magnet') output.report(magnetEvent(torrent.magnet), magnetLines(torrent.magnet))
  else output.report(torrentEvent(torrent.info), torrentLines(torrent.info))
  return 0
}

function torrentEvent(torrent: TorrentInfo): OutputEvent {
  return {
    type: 'torrent',
    name: torrent.name,
    infoHash: torrent.infoHash,
    size: torrent.totalSize,
    pieceLength: torrent.pieceLength,
    numPieces: torrent.numPieces,
    private: torrent.priv,
    ...(torrent.sslCert !== '' && { sslCert: torrent.sslCert }),
    comment: torrent.comment,
    creator: torrent.creator,
    creationDate: torrent.creationDate,
    trackers: torrent.trackers.map(({ url, tier }) => ({ url, tier })),
    webSeeds: torrent.webSeeds.map(({ url, type }) => ({ url, type })),
    nodes: torrent.nodes,
    files: Array.from(torrent.files(), (file) => ({
      path: file.path,
      size: file.size,
      ...(file.padFile && { pad: true }),
      ...(file.executableAttribute && { executable: true }),
      ...(file.hiddenAttribute && { hidden: true }),
      ...(file.symlinkAttribute && { symlink: file.symlinkPath }),
    })),
  }
}

function torrentLines(torrent: TorrentInfo): string[] {
  const files = contentFiles(torrent)
  const lines = [
    field('Name', torrent.name),
    field('Info-hash', torrent.infoHash.toHex()),
    field(
      'Size',
      `${formatBytes(torrent.totalSize)} (${formatCount(torrent.totalSize)} bytes) in ${plural(files.length, 'file')}`,
    ),
    field('Pieces', `${formatCount(torrent.numPieces)} of ${formatPieceSize(torrent.pieceLength)}`),
  ]
  if (torrent.priv) lines.push(field('Private', 'yes: peers come from its trackers only'))
  if (torrent.sslCert !== '') lines.push(field('SSL', sslText(torrent.sslCert)))
  if (torrent.comment !== '') lines.push(field('Comment', torrent.comment))
  if (torrent.creator !== '') lines.push(field('Created by', torrent.creator))
  if (torrent.creationDate !== null) lines.push(field('Created', dateText(torrent.creationDate)))
  lines.push(...trackerLines(torrent.trackers))
  lines.push(
    ...list(
      'Web seeds',
      torrent.webSeeds.map(({ url }) => url),
    ),
  )
  lines.push(...list('Nodes', torrent.nodes.map(hostAndPortText)))
  const width = Math.max(0, ...files.map((file) => formatBytes(file.size).length))
  const fileLines = files.map((file) => {
    const link = file.symlinkAttribute ? ` -> ${file.symlinkPath}` : ''
    return `${formatBytes(file.size).padStart(width)}  ${file.path}${link}`
  })
  return [...lines, ...list('Files', fileLines)]
}

function sslText(rootCertificate: string): string {
  const subject = certificateSubject(rootCertificate)
  if (subject === null) return 'yes, but its root certificate is broken: it can have no peers'
  return `yes: peers need a certificate that is signed by ${subject}`
}

function magnetEvent(magnet: MagnetParams): OutputEvent {
  return {
    type: 'magnet',
    name: magnet.name,
    infoHash: magnet.infoHash,
    infoHashV2: magnet.infoHashV2,
    ...(magnet.mutableTorrent !== null && {
      key: hexOf(magnet.mutableTorrent.publicKey),
      salt: hexOf(magnet.mutableTorrent.salt),
    }),
    trackers: magnet.trackers.map(({ url, tier }) => ({ url, tier })),
    webSeeds: magnet.urlSeeds.map((url) => ({ url, type: 'urlSeed' })),
    peers: magnet.peers,
    nodes: magnet.dhtNodes,
    selectOnly: magnet.selectOnly,
  }
}

function magnetLines(magnet: MagnetParams): string[] {
  const lines: string[] = []
  if (magnet.name !== '') lines.push(field('Name', magnet.name))
  if (magnet.infoHash !== null) lines.push(field('Info-hash', magnet.infoHash.toHex()))
  if (magnet.infoHashV2 !== null) lines.push(field('Info-hash 2', magnet.infoHashV2.toHex()))
  if (magnet.mutableTorrent !== null) {
    const { publicKey, salt } = magnet.mutableTorrent
    lines.push(field('Key', `${hexOf(publicKey)}  (of who names the newest version in the DHT)`))
    if (salt.length > 0) lines.push(field('Salt', hexOf(salt)))
  }
  if (magnet.selectOnly !== null) {
    const ranges = magnet.selectOnly.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    lines.push(field('Only files', ranges.join(', ')))
  }
  lines.push(...trackerLines(magnet.trackers))
  lines.push(...list('Web seeds', magnet.urlSeeds))
  lines.push(
    ...list(
      'Peers',
      magnet.peers.map(({ address, port }) => hostAndPortText({ host: address, port })),
    ),
  )
  lines.push(...list('Nodes', magnet.dhtNodes.map(hostAndPortText)))
  return lines
}

function trackerLines(trackers: readonly { readonly url: string; readonly tier: number }[]): string[] {
  const tiers = new Set(trackers.map(({ tier }) => tier)).size
  return list(
    'Trackers',
    trackers.map(({ url, tier }) => (tiers > 1 ? `${url}  (tier ${tier + 1})` : url)),
  )
}

function field(name: string, value: string): string {
  return `${`${name}:`.padEnd(12)} ${value}`
}

/** A heading with its lines below; nothing when there are none. */
function list(name: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${name}:`, ...items.map((item) => `  ${item}`)]
}

/** Times beyond what a date can be are shown as the number they are. */
function dateText(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000)
  if (Number.isNaN(date.getTime())) return String(unixSeconds)
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
