/**
 * Our engine behind the line protocol of libtorrentDaemon.py, for what `lt` does not show: benchmarks and resume files.
 * Commands: start, settings, add, addMany, connect, status, encryption, recheck, pause, resume, remove, saveResume, parse,
 * collect, quit.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  type AddTorrentParams,
  AlertCategory,
  PeerFlags,
  Session,
  settingByName,
  type TorrentHandle,
  TorrentInfo,
} from 'libtorrent-ts'

type Request = Readonly<Record<string, unknown>>

const ALERT_MASK = AlertCategory.error | AlertCategory.status | AlertCategory.storage

let session: Session | null = null
const torrents: TorrentHandle[] = []

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

async function start({ port, settings }: Request): Promise<object> {
  session = new Session({
    settings: {
      listenInterfaces: `127.0.0.1:${Number(port)}`,
      enableDht: false,
      enableLsd: false,
      enableUpnp: false,
      enableNatpmp: false,
      allowMultipleConnectionsPerIp: true,
      minReconnectTime: 1,
      maxFailcount: 100,
      ssrfMitigation: false,
      ignoreLimitsOnLocalNetwork: false,
      alertMask: ALERT_MASK,
      ...camelCased((settings ?? {}) as Request),
    },
  })
  reportAlerts(session)
  await session.ready
  return { port: session.listenPort }
}

/** Settings may also be called by libtorrent's names. */
function camelCased(settings: Request): object {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [settingByName(name) ?? name, value]))
}

function reportAlerts(from: Session): void {
  const report = (event: string, alert: { handle: TorrentHandle; message(): string }) => {
    const torrent = torrents.findIndex((handle) => handle.equals(alert.handle))
    if (torrent >= 0) say({ event, torrent, message: alert.message() })
  }
  from.on('torrentFinished', (alert) => report('finished', alert))
  from.on('torrentChecked', (alert) => report('checked', alert))
  from.on('peerConnect', (alert) => report('peerConnected', alert))
  from.on('metadataReceived', (alert) => report('metadata', alert))
  from.on('fastresumeRejected', (alert) => report('fastresume_rejected', alert))
  from.on('hashFailed', (alert) => report('hash_failed', alert))
  from.on('fileError', (alert) => report('file_error', alert))
  from.on('torrentError', (alert) => report('torrent_error', alert))
}

function paramsOf(request: Request, source: string): AddTorrentParams {
  const params: AddTorrentParams = {
    savePath: String(request.savePath),
    autoManaged: false,
    paused: request.paused === true,
    seedMode: request.seedMode === true,
    sequentialDownload: request.sequential === true,
    urlSeeds: (request.urlSeeds ?? []) as string[],
    uploadLimit: Number(request.uploadLimit ?? 0),
    downloadLimit: Number(request.downloadLimit ?? 0),
  }
  if (source.startsWith('magnet:')) return { ...params, url: source }
  const bytes = readFileSync(source)
  if (!bytes.includes('22:libtorrent resume file')) return { ...params, ti: new TorrentInfo(bytes) }
  // A resume file also says that its torrent was paused; what the request says counts.
  return {
    ...params,
    overrideResumeData: true,
    resumeData: bytes,
    ti: new TorrentInfo(readFileSync(String(request.torrent))),
  }
}

async function add(request: Request): Promise<object> {
  const handle = engine().addTorrent(paramsOf(request, String(request.source)))
  torrents.push(handle)
  const index = torrents.length - 1
  const ssl = request.ssl as { readonly [name in 'certificate' | 'privateKey' | 'dhParams']: string } | undefined
  if (ssl) await handle.setSslCertificate(ssl.certificate, ssl.privateKey, ssl.dhParams)
  for (const [host, port] of (request.peers ?? []) as [string, number][]) handle.connectPeer({ address: host, port })
  return { torrent: index }
}

function addMany(request: Request): object {
  const directory = String(request.directory)
  const names = readdirSync(directory).filter((name) => name.endsWith('.torrent'))
  const begin = performance.now()
  for (const name of names) engine().addTorrent(paramsOf(request, join(directory, name)))
  return { count: names.length, seconds: (performance.now() - begin) / 1000 }
}

function connect(request: Request): object {
  handleOf(request).connectPeer({ address: String(request.host), port: Number(request.port) })
  return {}
}

function status(request: Request): object {
  const { state, progress, pieces, numPeers, error, ...totals } = handleOf(request).status()
  return {
    state,
    progress,
    uploaded: totals.totalPayloadUpload,
    downloaded: totals.totalPayloadDownload,
    peers: numPeers,
    pieces: pieces === null ? '' : Array.from({ length: pieces.size }, (_, i) => (pieces.get(i) ? '1' : '0')).join(''),
    error: error?.message ?? '',
  }
}

function changeSettings({ settings }: Request): void {
  engine().applySettings(camelCased((settings ?? {}) as Request))
}

/** What of the connection to its one peer is encrypted. */
function encryption(request: Request): object {
  const [peer] = handleOf(request).getPeerInfo()
  const flags = peer?.flags ?? 0
  if (flags & PeerFlags.rc4Encrypted) return { encryption: 'rc4' }
  return { encryption: flags & PeerFlags.plaintextEncrypted ? 'plaintext' : 'none' }
}

async function saveResume(request: Request): Promise<object> {
  writeFileSync(String(request.path), await handleOf(request).saveResumeData())
  return {}
}

function parse({ path }: Request): object {
  const begin = performance.now()
  const info = new TorrentInfo(readFileSync(String(path)))
  return { seconds: (performance.now() - begin) / 1000, files: info.numFiles }
}

async function quit(): Promise<never> {
  await session?.abort()
  process.exit(0)
}

function engine(): Session {
  if (session === null) throw new Error('not started')
  return session
}

function handleOf({ torrent }: Request): TorrentHandle {
  const handle = torrents[Number(torrent)]
  if (handle === undefined) throw new Error('no such torrent')
  return handle
}

/** What it returns, or resolves to, becomes part of the answer when it is an object. */
type Command = (request: Request) => unknown

const commands: Readonly<Record<string, Command>> = {
  start,
  add,
  addMany,
  connect,
  status,
  settings: changeSettings,
  encryption,
  remove: (request) => engine().removeTorrent(handleOf(request)),
  saveResume,
  parse,
  recheck: (request) => handleOf(request).forceRecheck(),
  pause: (request) => handleOf(request).pause(),
  resume: (request) => handleOf(request).resume(),
  // Only there under --expose-gc.
  collect: () => globalThis.gc?.(),
  quit,
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const request: Request = JSON.parse(line)
    try {
      const command = commands[String(request.cmd)]
      if (command === undefined) throw new Error(`no command ${String(request.cmd)}`)
      say({ ...((await command(request)) as object | undefined), id: request.id, ok: true })
    } catch (error) {
      say({ id: request.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  .on('close', quit)

say({ event: 'ready' })
