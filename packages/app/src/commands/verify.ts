import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type HashedFiles, hashFiles, type TorrentInfo } from 'libtorrent-ts'
import { CliError } from '../cliError.ts'
import { formatCount, formatRanges, plural } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { readTorrent } from '../torrentSource.ts'
import { HashingProgress } from './hashingProgress.ts'

const WHERE = 'Say where the files are with --output.'

/** Options of `lt verify` as commander gives them. */
export interface VerifyOptions {
  readonly output: string
}

interface FileVerdict {
  readonly path: string
  readonly status: 'missing' | 'short' | 'bad' | 'tooLong'
  readonly badPieces: number
  readonly pieces: number
}

/** `lt verify`: compares files with their torrent; exit code 0 when all is there and right. */
export async function verify(source: string, options: VerifyOptions, output: Output): Promise<number> {
  const torrent = await readTorrent(source, 'to verify files')
  const savePath = resolve(options.output)
  const found = await stat(savePath).catch(() => null)
  if (!found?.isDirectory()) throw new CliError(`There is no directory ${savePath}. ${WHERE}`)

  const hashed = await hash(torrent, savePath, output)
  const { bad, missing } = wrongPieces(torrent, hashed)
  const files = judgeFiles(torrent, hashed)
  const complete = bad.length === 0 && missing.length === 0 && files.every((file) => file.status === 'tooLong')
  const good = torrent.numPieces - bad.length - missing.length
  output.report(
    { type: 'verified', complete, numPieces: torrent.numPieces, good, badPieces: bad, missingPieces: missing, files },
    [...files.map(fileLine), ...pieceLines(bad, missing), summary(torrent, complete, good, bad.length, missing.length)],
  )
  if (hashed.stats.every(({ size }) => size < 0)) output.warn(`Nothing of the torrent is in ${savePath}. ${WHERE}`)
  return complete ? 0 : 1
}

async function hash(torrent: TorrentInfo, savePath: string, output: Output): Promise<HashedFiles> {
  const progress = new HashingProgress('verifying', output)
  try {
    const isGood = (piece: number, digest: Uint8Array) => torrent.isPieceHash(piece, digest)
    return await hashFiles(torrent.files(), savePath, isGood, { onProgress: progress.onProgress })
  } finally {
    progress.stop()
  }
}

function wrongPieces(torrent: TorrentInfo, { have, absent }: HashedFiles): { bad: number[]; missing: number[] } {
  const bad: number[] = []
  const missing: number[] = []
  for (let piece = 0; piece < torrent.numPieces; piece++) {
    if (have.get(piece)) continue
    if (absent.get(piece)) missing.push(piece)
    else bad.push(piece)
  }
  return { bad, missing }
}

/** The files with which something is wrong. */
function judgeFiles(torrent: TorrentInfo, { have, stats }: HashedFiles): FileVerdict[] {
  const verdicts: FileVerdict[] = []
  const files = torrent.files()
  for (let i = 0; i < files.numFiles; i++) {
    if (files.padFileAt(i)) continue
    const size = files.fileSize(i)
    const first = files.pieceIndexAtFile(i)
    const last = size === 0 ? first - 1 : files.lastPieceIndexAtFile(i)
    let badPieces = 0
    for (let piece = first; piece <= last; piece++) if (!have.get(piece)) badPieces++
    const status = judge(stats[i].size, size, badPieces)
    if (status !== null) verdicts.push({ path: files.filePath(i), status, badPieces, pieces: last - first + 1 })
  }
  return verdicts
}

function judge(actual: number, expected: number, badPieces: number): FileVerdict['status'] | null {
  if (actual < 0) return 'missing'
  if (actual < expected) return 'short'
  if (badPieces > 0) return 'bad'
  return actual > expected ? 'tooLong' : null
}

function fileLine({ path, status, badPieces, pieces }: FileVerdict): string {
  if (status === 'missing') return `missing: ${path}`
  if (status === 'tooLong') return `too long: ${path} (the rest of it is right)`
  return `${status}: ${path} (${formatCount(badPieces)} of ${plural(pieces, 'piece')} not right)`
}

function pieceLines(bad: readonly number[], missing: readonly number[]): string[] {
  const lines: string[] = []
  if (bad.length > 0) lines.push(`bad pieces: ${formatRanges(bad)}`)
  if (missing.length > 0) lines.push(`missing pieces: ${formatRanges(missing)}`)
  return lines
}

function summary(torrent: TorrentInfo, complete: boolean, good: number, bad: number, missing: number): string {
  if (complete) return `${torrent.name} is complete: ${plural(good, 'piece')} verified.`
  const wrong = [bad > 0 ? `${formatCount(bad)} bad` : '', missing > 0 ? `${formatCount(missing)} missing` : '']
  const detail = wrong.filter((text) => text !== '').join(', ')
  const pieces = `${formatCount(good)} of ${plural(torrent.numPieces, 'piece')} good`
  return `${torrent.name} is not complete: ${pieces}${detail === '' ? '' : `, ${detail}`}.`
}
