import { access, constants, lstat, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import {
  type CreateTorrent,
  createTorrentFromPath,
  LibtorrentError,
  makeMagnetUri,
  TorrentInfo,
  VERSION,
} from 'libtorrent-ts'
import { CliError, messageOf, reasonOf } from '../cliError.ts'
import { contentFiles } from '../contentFiles.ts'
import type { HostAndPort } from '../options/hostAndPort.ts'
import { formatBytes, formatPieceSize, plural, shellWord } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { readRootCertificate } from '../rootCertificate.ts'
import { writeAtomically } from '../writeAtomically.ts'
import { HashingProgress } from './hashingProgress.ts'

/** Options of `lt create` as commander gives them. */
export interface CreateOptions {
  /** A file to write, or a directory for `NAME.torrent`. */
  readonly output: string
  /** The same under the name of other commands' option for files. */
  readonly outputFile?: string
  readonly force?: boolean
  /** Each is a tier; commas divide the trackers of one. */
  readonly tracker?: readonly (readonly string[])[]
  readonly webSeed?: readonly string[]
  readonly node?: readonly HostAndPort[]
  readonly private?: boolean
  /** Path of a PEM file. */
  readonly rootCert?: string
  readonly comment?: string
  /** False with --no-creator. */
  readonly creator?: string | false
  /** False with --no-date. */
  readonly date: boolean
  readonly pieceSize?: number
  readonly name?: string
  readonly pad?: boolean
}

/** `lt create`: makes a .torrent of a file or directory. */
export async function create(path: string, options: CreateOptions, output: Output): Promise<number> {
  const target = await targetOf(path, options)
  await checkTarget(target, options)
  const rootCert = options.rootCert === undefined ? null : await readRootCertificate(options.rootCert)
  const torrent = await hash(path, options, output)
  describe(torrent, options)
  if (rootCert !== null) torrent.setRootCert(rootCert)
  const bytes = torrent.generateBytes()
  const info = new TorrentInfo(bytes)
  warnOfChangedNames(torrent, info, output)
  await save(target, bytes)

  if (info.priv && info.trackers.length === 0) {
    output.warn(
      'It is private and names no tracker, so that nobody will find it. Add --tracker, or leave out --private.',
    )
  }

  const { name, infoHash, totalSize, pieceLength, numPieces } = info
  const numFiles = contentFiles(info).length
  const magnet = makeMagnetUri(info)
  output.report(
    { type: 'created', file: target, name, infoHash, size: totalSize, files: numFiles, pieceLength, numPieces, magnet },
    [
      `Created ${target}`,
      `${name}  ${formatBytes(totalSize)} in ${plural(numFiles, 'file')}, ` +
        `${plural(numPieces, 'piece')} of ${formatPieceSize(pieceLength)}`,
      `Info-hash ${infoHash}`,
      ...nextSteps(path, target, info),
    ],
  )
  return 0
}

async function targetOf(path: string, options: CreateOptions): Promise<string> {
  const target = resolve(options.outputFile ?? options.output)
  const isDirectory = (await stat(target).catch(() => null))?.isDirectory() ?? false
  return isDirectory ? join(target, `${options.name ?? basename(resolve(path))}.torrent`) : target
}

/** What would go wrong after an hour of hashing is better known before. */
async function checkTarget(target: string, { force }: CreateOptions): Promise<void> {
  if (!force && (await lstat(target).catch(() => null)) !== null) {
    throw new CliError(`${target} exists already. Give another name with -o, or --force to replace it.`)
  }
  try {
    await access(dirname(target), constants.W_OK)
  } catch (cause) {
    throw notWritten(target, cause)
  }
}

/** What one makes a .torrent for. */
function nextSteps(path: string, target: string, info: TorrentInfo): string[] {
  const content = resolve(path)
  if (basename(content) !== info.name) return [`To give it to others, ${content} has to be called ${info.name}.`]
  const certificate = info.sslCert === '' ? '' : ' --cert FILE --key FILE'
  const steps = [
    `To give it to others: lt seed ${shellWord(target)} --output ${shellWord(dirname(content))}${certificate}`,
  ]
  if (info.trackers.length === 0 && info.webSeeds.length === 0 && !info.priv) {
    steps.push('It names no tracker: others find you by the DHT, or by your address with --peer HOST:PORT.')
  }
  return steps
}

async function hash(path: string, options: CreateOptions, output: Output): Promise<CreateTorrent> {
  const progress = new HashingProgress('hashing', output)
  try {
    const { pieceSize, name, pad: padFiles } = options
    return await createTorrentFromPath(path, { pieceSize, name, padFiles, onProgress: progress.onProgress })
  } catch (error) {
    throw explained(error, path)
  } finally {
    progress.stop()
  }
}

function explained(error: unknown, path: string): unknown {
  if (!(error instanceof LibtorrentError)) return error
  const cause = { cause: error }
  if (error.is('noFilesInTorrent')) return new CliError(`${path}: there are no files in it.`, 1, cause)
  if (error.is('torrentInvalidLength')) return new CliError(`${path}: there is not a single byte in it.`, 1, cause)
  if (error.is('invalidPieceSize')) {
    return new CliError('--piece-size is a power of two or a multiple of 16 KiB, and 128 MiB at most.', 2, cause)
  }
  if (error.is('fileTooShort'))
    return new CliError(`${error.path}: it was changed while it was hashed. Try again.`, 1, cause)
  if (error.code === 'ELOOP' && error.operation === 'symlink') {
    return new CliError(`${messageOf(error)}. Replace it by what it leads to, or remove it.`, 1, cause)
  }
  return error
}

function describe(torrent: CreateTorrent, options: CreateOptions): void {
  for (const [tier, urls] of (options.tracker ?? []).entries()) for (const url of urls) torrent.addTracker(url, tier)
  for (const url of options.webSeed ?? []) torrent.addUrlSeed(url)
  for (const node of options.node ?? []) torrent.addNode(node)
  if (options.private) torrent.setPriv(true)
  if (options.comment !== undefined) torrent.setComment(options.comment)
  if (options.creator !== false) torrent.setCreator(options.creator ?? `libtorrent-ts ${VERSION}`)
  if (options.date) torrent.setCreationDate(Math.floor(Date.now() / 1000))
}

/** Every client makes names safe for its system; what is changed here will not be found when it is seeded. */
function warnOfChangedNames(torrent: CreateTorrent, info: TorrentInfo, output: Output): void {
  for (let i = 0; i < torrent.files.numFiles; i++) {
    const before = torrent.files.filePath(i)
    const after = info.files().filePath(i)
    if (before !== after)
      output.warn(`${before} will be called ${after} by those who download it. Better rename it now.`)
  }
}

async function save(target: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeAtomically(target, bytes, `${target}.${process.pid}.tmp`)
  } catch (cause) {
    throw notWritten(target, cause)
  }
}

function notWritten(target: string, cause: unknown): CliError {
  return new CliError(`${target} could not be written: ${reasonOf(cause)}. Choose another place with -o.`, 1, { cause })
}
