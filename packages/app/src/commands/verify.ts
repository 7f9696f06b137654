import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type HashedFiles, hashFiles, type TorrentInfo } from 'libtorrent-ts'
import { nothingThere } from '../contentPlace.ts'
import { formatCount, formatRanges, plural } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { selectFiles } from '../selectFiles.ts'
import { readTorrent } from '../torrentSource.ts'
import { HashingProgress } from './hashingProgress.ts'
import { VerifiedFiles } from './verifiedFiles.ts'

/** Options of `lt verify` as commander gives them. */
export interface VerifyOptions {
  readonly output: string
  /** Patterns of the files that matter; none for all. */
  readonly select?: readonly string[]
}

interface FileVerdict {
  readonly path: string
  readonly status: 'missing' | 'short' | 'bad' | 'tooLong'
  readonly badPieces: number
  readonly pieces: number
}

/** `lt verify`: compares files with their torrent; exit code 0 when all that was asked for is there and right. */
export async function verify(source: string, options: VerifyOptions, output: Output): Promise<number> {
  const torrent = await readTorrent(source, 'to verify files')
  const selection = selectFiles(torrent.files(), options.select ?? [])
  const savePath = resolve(options.output)
  const found = await stat(savePath).catch(() => null)
  if (!found?.isDirectory()) throw await nothingThere(torrent, savePath, source)

  const hashed = await hash(torrent, savePath, output)
  const wanted = new VerifiedFiles(torrent, selection)
  const { bad, missing } = wrongPieces(wanted, hashed)
  const files = judgeFiles(wanted, hashed)
  const complete = bad.length === 0 && missing.length === 0 && files.every((file) => file.status === 'tooLong')
  const numPieces = wanted.pieces.size
  const good = numPieces - bad.length - missing.length
  output.report({ type: 'verified', complete, numPieces, good, badPieces: bad, missingPieces: missing, files }, [
    ...files.map(fileLine),
    ...pieceLines(bad, missing),
    summary(wanted, complete, good, bad.length, missing.length),
  ])
  if (!complete && hashed.stats.every(({ size }) => size < 0)) {
    output.warn((await nothingThere(torrent, savePath, source)).message)
  }
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

function wrongPieces({ pieces }: VerifiedFiles, { have, absent }: HashedFiles): { bad: number[]; missing: number[] } {
  const wrong = [...pieces].filter((piece) => !have.get(piece))
  return { bad: wrong.filter((piece) => !absent.get(piece)), missing: wrong.filter((piece) => absent.get(piece)) }
}

/** The files with which something is wrong. */
function judgeFiles(wanted: VerifiedFiles, { have, stats }: HashedFiles): FileVerdict[] {
  const verdicts: FileVerdict[] = []
  const storage = wanted.torrent.files()
  for (const file of wanted.files) {
    const pieces = wanted.piecesOf(file)
    const badPieces = pieces.filter((piece) => !have.get(piece)).length
    const status = judge(stats[file].size, storage.fileSize(file), badPieces)
    if (status !== null) verdicts.push({ path: storage.filePath(file), status, badPieces, pieces: pieces.length })
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

function summary(wanted: VerifiedFiles, complete: boolean, good: number, bad: number, missing: number): string {
  const verb = wanted.files.length === 1 || wanted.name === wanted.torrent.name ? 'is' : 'are'
  if (complete) return `${wanted.name} ${verb} complete: ${plural(good, 'piece')} verified.`
  const wrong = [bad > 0 ? `${formatCount(bad)} bad` : '', missing > 0 ? `${formatCount(missing)} missing` : '']
  const detail = wrong.filter((text) => text !== '').join(', ')
  const pieces = `${formatCount(good)} of ${plural(wanted.pieces.size, 'piece')} good`
  return `${wanted.name} ${verb} not complete: ${pieces}${detail === '' ? '' : `, ${detail}`}.`
}
